/** Translates a response of another format into OpenAI's chat completion, whole or streamed. */
import type { AnswerDelta, AnswerReader } from '../../src/wire/answer.ts'
import { errorText, readAnswerError } from '../../src/wire/answer-error.ts'
import { namedErrorText } from '../../src/wire/formats.ts'
import { writeOpenaiError, writeOpenaiErrorEvent } from '../../src/wire/openai.ts'
import { ChatStreamWriter, writeChatAnswer } from '../../src/wire/openai-chat.ts'
import { ERROR_EVENT, SseReader } from '../../src/wire/sse.ts'
import { mergeUsage, NO_USAGE } from '../../src/wire/usage.ts'
import { parseEvent, parseResponseBody } from './json.ts'
import type { ResponseTranslation, StreamEnd } from './protocol.ts'

export class ChatResponse implements ResponseTranslation {
  readonly #created = nowSeconds()
  readonly #reader: AnswerReader
  readonly #writer: ChatStreamWriter
  readonly #events = new SseReader((data, name) => this.#translate(data, name))
  #usage = NO_USAGE
  /** What the events of one piece became. */
  #out = ''
  #hasEnded = false

  constructor(reader: AnswerReader, includeUsage: boolean) {
    this.#reader = reader
    this.#writer = new ChatStreamWriter(this.#created, includeUsage)
  }

  stream(chunk: Buffer): Buffer {
    this.#events.push(chunk)
    return this.#takeOutput()
  }

  streamEnd(): StreamEnd {
    this.#events.end()
    const complete = this.#reader.isComplete || this.#hasEnded
    if (complete && !this.#hasEnded) this.#end()
    return { rest: this.#takeOutput(), complete }
  }

  whole(status: number, body: Buffer): Buffer {
    const answer = parseResponseBody(status, body)
    const read = status >= 400 ? { error: readAnswerError(answer) } : this.#reader.readWhole(answer)
    return Buffer.from('error' in read ? writeOpenaiError(read.error) : writeChatAnswer(read, this.#created))
  }

  #translate(data: string, name: string): void {
    if (this.#hasEnded) return
    const event = parseEvent(data)
    if (name === ERROR_EVENT && errorText(event) === undefined) {
      // Its name alone says that it is a failure.
      this.#write({ kind: 'error', error: readAnswerError({ error: { message: namedErrorText(data) } }) })
    } else for (const delta of this.#reader.readEvent(event)) this.#write(delta)
  }

  #write(delta: AnswerDelta): void {
    switch (delta.kind) {
      case 'head':
        this.#writer.setHead(delta.head)
        break
      case 'usage':
        this.#usage = mergeUsage(this.#usage, delta.usage)
        break
      case 'error':
        this.#hasEnded = true
        this.#out += writeOpenaiErrorEvent(delta.error)
        break
      case 'end':
        this.#end()
        break
      default:
        this.#out += this.#writer.write(delta)
    }
  }

  #end(): void {
    this.#hasEnded = true
    this.#out += this.#writer.end(this.#usage)
  }

  #takeOutput(): Buffer {
    const output = Buffer.from(this.#out)
    this.#out = ''
    return output
  }
}

function nowSeconds(): number {
  return Math.floor((performance.timeOrigin + performance.now()) / 1_000)
}
