/**
 * WHAT is sent: request bodies for one endpoint, each with its own nonce at the end of the last message. The text around the
 * nonce is serialised once; a request costs one concatenation.
 */
import { createHash } from 'node:crypto'
import { nonceOf, nonceWord } from './nonce.ts'

export type Endpoint = 'chat' | 'completions' | 'embeddings'

/** Everything that decides what is sent; plain data, so that it can cross a thread. */
export interface WorkloadSpec {
  endpoint: Endpoint
  model: string
  prompt: string
  stream: boolean
  maxTokens?: number | undefined
  seed: number
}

export interface PreparedRequest {
  nonce: string
  body: string
}

/** Makes request `index` of the arm with `tag`. The same index carries the same request in every arm, but for the nonce's tag. */
export type RequestMaker = (tag: string, index: number) => PreparedRequest

const HOLE = 'kt-nonce-goes-here'

export function requestMaker(spec: WorkloadSpec): RequestMaker {
  const [before = '', after = ''] = JSON.stringify(bodyOf(spec, `${spec.prompt} ${HOLE}`)).split(HOLE)
  return (tag, index) => {
    const nonce = nonceOf(tag, spec.seed, index)
    return { nonce, body: before + nonceWord(nonce) + after }
  }
}

/** Two runs with the same hash sent the same requests. */
export function workloadSha256(spec: WorkloadSpec): string {
  return createHash('sha256')
    .update(JSON.stringify([bodyOf(spec, spec.prompt), spec.endpoint, spec.seed]))
    .digest('hex')
}

/** An estimate for announcing a run before it starts: about 4 bytes a token, and what the answer may at most hold. */
export function expectedTokens(spec: WorkloadSpec): { input: number; output: number } {
  const output = spec.endpoint === 'embeddings' ? 0 : (spec.maxTokens ?? 256)
  return { input: Math.ceil(Buffer.byteLength(spec.prompt) / 4) + 10, output }
}

function bodyOf(spec: WorkloadSpec, prompt: string): object {
  if (spec.endpoint === 'embeddings') return { model: spec.model, input: prompt }
  return {
    model: spec.model,
    ...(spec.endpoint === 'chat' ? { messages: [{ role: 'user', content: prompt }] } : { prompt }),
    ...(spec.maxTokens === undefined ? {} : { max_tokens: spec.maxTokens }),
    ...(spec.stream ? { stream: true, stream_options: { include_usage: true } } : {}),
  }
}
