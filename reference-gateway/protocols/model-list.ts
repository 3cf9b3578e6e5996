/** A provider's list of models as OpenAI lists them. */
import { encode } from './completion.ts'
import { bodyIn, objectOf, objectsIn, textOf } from './json.ts'
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
    const answer = bodyIn(status, body)
    if (status >= 400) {
      const { message, type, status: code } = objectOf(answer.error)
      const kind = textOf(type) ?? textOf(code) ?? 'api_error'
      return encode({ error: { message: textOf(message) ?? 'no message', type: kind, param: null, code: kind } })
    }
    const models = objectsIn(answer.data ?? answer.models, 'data')
    const data = models.map(({ id, name, created_at: since }) => ({
      id: textOf(id) ?? (textOf(name) ?? '').replace(/^models\//, ''),
      object: 'model',
      created: Math.floor((Date.parse(textOf(since) ?? '') || 0) / 1_000),
      owned_by: 'provider',
    }))
    return encode({ object: 'list', data })
  }
}
