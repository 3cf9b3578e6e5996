/** The bytes of an answer, kept to be read whole at its end: bounded, and not copied where they came in one piece. */
import { failure, type Result, success } from '../errors.ts'
import type { ResponseHeaders } from '../http1/fields.ts'
import { readErrorAnswer } from '../wire/json-answer.ts'
import { decodeWhole, readContentEncoding } from './content-encoding.ts'

const MOST_BODY_BYTES = 64 * 1024 * 1024
const NOTHING = Buffer.alloc(0)

export class BufferedBody {
  #first: Buffer | undefined
  #more: Buffer[] = []
  #bytes = 0

  clear(): void {
    if (this.#first === undefined) return
    this.#first = undefined
    if (this.#more.length > 0) this.#more = []
    this.#bytes = 0
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes > MOST_BODY_BYTES) return
    if (this.#first === undefined) this.#first = chunk
    else this.#more.push(chunk)
  }

  whole(): Buffer {
    if (!this.#first) return NOTHING
    return this.#more.length === 0 ? this.#first : Buffer.concat([this.#first, ...this.#more])
  }

  /** The whole body, decoded as the headers say. */
  decoded({ 'content-encoding': encoding }: ResponseHeaders): Result<Buffer> {
    if (encoding === undefined) return success(this.whole())
    const codings = readContentEncoding(encoding)
    return codings.ok ? decodeWhole(codings.value, this.whole()) : failure(codings.why)
  }

  /** The reason in the body of an error. */
  errorText(headers: ResponseHeaders): string {
    const body = this.decoded(headers)
    return body.ok ? readErrorAnswer(body.value.toString('utf8')) : `a body that cannot be decoded: ${body.why}`
  }
}
