/**
 * The reference gateway: `server-timing: kt-*`, else `x-kt-overhead-ms`. The trailer of a stream wins, because it
 * covers the whole stream.
 */
import { OVERHEAD_COMPONENTS } from '../../wire/overhead-components.ts'
import { parseServerTiming } from '../../wire/server-timing.ts'
import { type Adapter, FINE, millisecondsUs } from './adapter.ts'

const WHOLE = "the gateway's own clock; the wait for its event loop and overlapped work are not in it"
const TO_HEADERS = "the gateway's own clock, up to the headers; the wait for its event loop is not in it"

export const ktGateway: Adapter = {
  names: ['x-kt-overhead-ms', 'server-timing'],
  read(headers, trailers) {
    const plain = headers['x-kt-overhead-ms']
    const late = trailers['server-timing'] === undefined ? undefined : parseServerTiming(trailers['server-timing'])
    const whole = late?.has('kt-overhead') === true
    if (!whole && plain === undefined && !mentionsKt(headers['server-timing'])) return undefined
    const timings = whole && late ? late : parseServerTiming(headers['server-timing'])
    const timed = timings.get('kt-overhead')
    const us = timed ?? millisecondsUs(plain)
    if (us === undefined) return undefined
    const componentsUs: Record<string, number> = {}
    for (const { name, header } of OVERHEAD_COMPONENTS) {
      const part = timings.get(header)
      if (part !== undefined) componentsUs[name] = part
    }
    const source = whole
      ? 'server-timing trailer: kt-overhead'
      : timed === undefined
        ? 'x-kt-overhead-ms'
        : 'server-timing: kt-overhead'
    return {
      gateway: 'kt reference gateway',
      overhead: { us, source, note: whole ? WHOLE : TO_HEADERS, ...FINE },
      componentsUs,
    }
  },
}

/** A cheap test for every answer: the header is parsed only when it holds the gateway's total. */
function mentionsKt(value: string | string[] | undefined): boolean {
  if (value === undefined) return false
  return Array.isArray(value) ? value.some((text) => text.includes('kt-overhead')) : value.includes('kt-overhead')
}
