/** A provider's list of models as OpenAI lists them. */
import { encode } from './completion.ts'
import { asObject, asText, expectObjects, parseResponseBody } from './json.ts'
import type { ResponseTranslation, StreamEnd } from './protocol.ts'

const EMPTY = Buffer.alloc(0)

export class ModelList implements ResponseTranslation {
  stream(): Buffer {
    return EMPTY
  }

  streamEnd(): StreamEnd {
    return { rest: EMPTY, complete: true }
  }

  whole(status: number, body: Buffer): Buffer {
    const answer = parseResponseBody(status, body)
    if (status >= 400) {
      const { message, type, status: code } = asObject(answer.error)
      const kind = asText(type) ?? asText(code) ?? 'api_error'
      return encode({ error: { message: asText(message) ?? 'no message', type: kind, param: null, code: kind } })
    }
    const models = expectObjects(answer.data ?? answer.models, 'data')
    const data = models.map(({ id, name, created_at: since }) => ({
      id: asText(id) ?? (asText(name) ?? '').replace(/^models\//, ''),
      object: 'model',
      created: Math.floor((Date.parse(asText(since) ?? '') || 0) / 1_000),
      owned_by: 'provider',
    }))
    return encode({ object: 'list', data })
  }
}
