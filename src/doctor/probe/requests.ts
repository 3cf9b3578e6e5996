/** The requests of an examination: made as a bench makes them, each with a nonce of its own, for any endpoint. */
import { randomUUID } from 'node:crypto'
import { toHeaders } from '../../bench/build-plan.ts'
import { assertSendable } from '../../client/sendable.ts'
import type { Target } from '../../client/target.ts'
import { randomFrom } from '../../stats/random.ts'
import { mergeDeep } from '../../wire/body-changes.ts'
import { type ApiEndpoint, endpointOf } from '../../wire/endpoints.ts'
import { type JsonObject, parseObject } from '../../wire/json.ts'
import { drawArmTag } from '../../wire/nonce.ts'
import { requestMaker } from '../../workload/request-maker.ts'
import { promptWorkload } from '../../workload/workload.ts'
import type { ProbeRequest } from './prober.ts'

const PROMPT = 'Say something plain in one paragraph.'

export interface RequestOptions {
  prompt?: string
  stream?: boolean
  maxTokens: number
  /** Asked for so that the answer is the same each time, as far as the API has a word for that. */
  deterministic?: boolean
  leaveAfterUs?: number
}

/** Makes the requests of one examination. */
export function requestFactory(endpoint: ApiEndpoint, model: string): (options: RequestOptions) => ProbeRequest {
  const tag = drawArmTag(randomFrom(randomUUID()))
  const { limit, temperature } = endpointOf(endpoint)
  let index = 0
  return ({ prompt = PROMPT, stream = false, maxTokens, deterministic = false, leaveAfterUs }) => {
    const most = limit ? { maxTokens } : {}
    const spec = promptWorkload({ endpoint, model, prompt, stream, ...most, seed: 1 })
    const { nonce, body } = requestMaker(spec)(tag, index++)
    return {
      nonce,
      body: deterministic && temperature ? withMember(body, temperature, 0) : body,
      stream,
      ...(leaveAfterUs === undefined ? {} : { leaveAfterUs }),
    }
  }
}

/** `body` with a member set, named from the outside in. */
function withMember(body: string, path: readonly string[], value: unknown): string {
  const set = path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value)
  return JSON.stringify(mergeDeep(parseObject(body) ?? {}, set as JsonObject))
}

/** What the requests of one client are sent with. */
export function headersOf(
  endpoint: ApiEndpoint,
  { keyHeader }: Pick<Target, 'keyHeader'>,
  key: string | undefined,
  header: readonly (readonly [string, string])[],
): Record<string, string> {
  const api = { ...endpointOf(endpoint), ...(keyHeader && { keyHeader }) }
  const headers = toHeaders('text/event-stream, application/json', api, key, header)
  assertSendable(headers, false)
  return headers
}
