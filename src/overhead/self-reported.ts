/**
 * What a gateway says of itself. Each adapter reads one gateway's headers (and trailers, which come after a stream's end and
 * win) into microseconds. A gateway's own figure leaves out what happens before its handler runs and after it has written.
 */
import type { Headers } from '../client/exchange.ts'
import { parseServerTiming } from './server-timing.ts'

export interface SelfReport {
  gateway: string
  source: string
  totalUs: number
  /** By the names of profiles/budgets.yaml where one fits. */
  componentsUs: Record<string, number>
  note: string
}

type Adapter = (headers: Headers, trailers: Headers) => SelfReport | undefined

const KT_COMPONENTS: Record<string, string> = {
  'kt-input-policy': 'input_policy',
  'kt-routing': 'routing',
  'kt-cache': 'cache',
  'kt-acquire': 'connection_acquisition',
  'kt-output-policy': 'output_policy',
  'kt-hold': 'hold',
  'kt-inject': 'injected_delay',
}

/** The reference gateway: `server-timing: kt-*`, else `x-kt-overhead-ms`. */
const ktGateway: Adapter = (headers, trailers) => {
  const inTrailer = parseServerTiming(trailers['server-timing'])
  const late = inTrailer.has('kt-overhead')
  const timings = late ? inTrailer : parseServerTiming(headers['server-timing'])
  const totalUs = timings.get('kt-overhead') ?? Number(headers['x-kt-overhead-ms'] ?? Number.NaN) * 1_000
  if (!Number.isFinite(totalUs)) return undefined
  const componentsUs: Record<string, number> = {}
  for (const [name, component] of Object.entries(KT_COMPONENTS)) {
    const us = timings.get(name)
    if (us !== undefined) componentsUs[component] = us
  }
  return {
    gateway: 'kt reference gateway',
    source: late
      ? 'server-timing trailer: kt-overhead'
      : timings.has('kt-overhead')
        ? 'server-timing: kt-overhead'
        : 'x-kt-overhead-ms',
    totalUs,
    componentsUs,
    note: late
      ? "the gateway's own clock; the wait for its event loop is not in it"
      : "the gateway's own clock, up to the headers; the wait for its event loop is not in it",
  }
}

const ADAPTERS: readonly Adapter[] = [ktGateway]

/** The first adapter that recognises the answer speaks. */
export function readSelfReport(headers: Headers, trailers: Headers): SelfReport | undefined {
  for (const adapter of ADAPTERS) {
    const report = adapter(headers, trailers)
    if (report) return report
  }
  return undefined
}
