/** The first measured request of a run, as it leaves; and as it may be shown. */
import { buildHead } from '../http1/request-head.ts'
import type { RunPlan } from '../load/plan.ts'
import { requestMaker } from '../workload/request-maker.ts'
import { withoutSecrets } from './config.ts'

export interface FirstRequest {
  origin: string
  path: string
  /** Name, value, name, value. */
  headers: string[]
  body: string
}

export function firstRequest({ arms, workload }: RunPlan): FirstRequest {
  const [arm] = arms
  if (!arm) throw new Error('a run without an arm')
  const { body, part } = requestMaker(workload)(arm.tag, 0)
  const headers = { ...arm.headers, ...workload.parts[part]?.headers }
  return { origin: arm.origin, path: arm.paths?.[part] ?? arm.path, headers: Object.entries(headers).flat(), body }
}

/** Head and body on the wire of HTTP/1.1, without what is secret and without the query of the address. */
export function shownRequest(
  { origin, path, headers, body }: FirstRequest,
  keepAlive: boolean,
  secrets: readonly string[],
) {
  const { text } = buildHead('POST', new URL(origin).host, path.replace(/\?.*$/s, '?***'), headers, keepAlive)
  const head = withoutSecrets(`${text}content-length: ${Buffer.byteLength(body)}`, secrets)
  return { head: head.split('\r\n'), body: withoutSecrets(body, secrets) }
}
