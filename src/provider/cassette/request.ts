/**
 * What a request is to a cassette: by what a recorded answer is found again. Its digest is that of its canonical JSON
 * (sorted keys), without the nonce that kt writes at the end of a prompt, so that the same request has the same digest
 * in every arm and run.
 */
import { hash } from 'node:crypto'
import { asObject, asText } from '../../wire/json.ts'
import { findNonce, nonceWord, seedOfNonce } from '../../wire/nonce.ts'
import type { Named } from '../api.ts'
import { APIS } from '../routes.ts'
import type { RecordedAnswer } from './cassette.ts'

export interface AskedRequest extends Omit<RecordedAnswer['request'], 'body'> {
  nonce: string | undefined
  /** The request's own seed; undefined without a nonce. */
  seed: string | undefined
}

/** Members of a query that choose an answer; a key is never among them. */
const KEPT_QUERY = ['alt', 'api-version', 'beta']
/** What follows these in a path is the id of somebody's project or account. */
const OWNERS = /\/(projects|accounts|organizations|orgs|workspaces|subscriptions)\/[^/]+/g

export function describeRequest(method: string, url: string, body: string): AskedRequest {
  const [rawPath = '', rawQuery = ''] = url.split('?', 2)
  const path = rawPath.replaceAll(OWNERS, '/$1/-')
  const given = new URLSearchParams(rawQuery)
  const kept = KEPT_QUERY.flatMap((name) => given.getAll(name).map((value): [string, string] => [name, value]))
  const protocol = method === 'POST' ? protocolOf(rawPath, rawQuery) : undefined
  const { text, nonce, json } = canonical(body)
  return {
    method,
    path,
    ...(kept.length > 0 ? { query: new URLSearchParams(kept).toString() } : {}),
    kind: protocol?.kind ?? `${method} ${path}`,
    model: asText(json?.model) ?? protocol?.named?.model ?? null,
    stream: json?.stream === true || protocol?.named?.stream === true,
    bytes: Buffer.byteLength(body),
    digest: `sha256:${hash('sha256', text)}`,
    nonce,
    seed: nonce && seedOfNonce(nonce),
  }
}

/** What a path that names its model ends with. */
const MODELS = '/models/'

/** By the end of the path, since every gateway and cloud puts another beginning before it. */
function protocolOf(path: string, query: string): { kind: string; named?: Named } | undefined {
  for (const [kind, api] of Object.entries(APIS)) {
    const read = api.readPath?.(path.slice(Math.max(0, path.lastIndexOf(MODELS))), query)
    if (read?.ok) return { kind, named: read.value }
    if (!api.readPath && path.endsWith(api.path.replace(/^\/v1/, ''))) return { kind }
  }
  return undefined
}

/** Enough of a text to hold a nonce and white space at its end. */
const END_CHARS = 512

function canonical(body: string) {
  let nonce: string | undefined
  try {
    const json: unknown = JSON.parse(body)
    const text = JSON.stringify(json, (_key, value: unknown) => {
      if (typeof value === 'string') {
        const found = findNonce(value.slice(-END_CHARS))
        if (found === undefined) return value
        nonce = found
        return value.slice(0, value.lastIndexOf(nonceWord(found))).trimEnd()
      }
      const object = asObject(value)
      return object ? Object.fromEntries(Object.entries(object).sort(byKey)) : value
    })
    return { text, nonce, json: asObject(json) }
  } catch {
    // No JSON, or JSON that nests too deep to be written again.
    return { text: body, nonce, json: undefined }
  }
}

/** By code units, whatever the machine's language. */
function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0
}
