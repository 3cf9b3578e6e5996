/** A provider's list of models as OpenAI lists them. */
import { readAnswerError } from '../../src/wire/answer-error.ts'
import { readModelList, writeModelList } from '../../src/wire/model-list.ts'
import { writeOpenaiError } from '../../src/wire/openai.ts'
import { parseResponseBody } from './json.ts'
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
    if (status >= 400) return Buffer.from(writeOpenaiError(readAnswerError(answer)))
    return Buffer.from(writeModelList(readModelList(answer, 'provider')))
  }
}
