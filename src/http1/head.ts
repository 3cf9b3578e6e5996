/**
 * The head of an answer, and what it says of the bytes behind it. Answers of one server begin mostly alike, so a head
 * that equals the one before is not read again, and of another only the lines that differ.
 */
import { type AnswerFault, BadAnswer } from './faults.ts'
import { type Field, isText, NO_FIELDS, type ResponseHeaders, readField, toRecord } from './fields.ts'
import { CR, LF, Section, skipLineEnds } from './section.ts'

export const CHUNKED = -1
export const UNTIL_CLOSE = -2

export interface AnswerHead {
  readonly status: number
  readonly fields: readonly Field[]
  /** The fields by their names in lower case. */
  readonly headers: ResponseHeaders
  /** The length of the body; or CHUNKED, or UNTIL_CLOSE. */
  readonly body: number
  /** Whether the server takes another request on the connection. */
  readonly keepAlive: boolean
  /** For how long it says that it keeps the connection when it is idle; Infinity where it does not say. */
  readonly keptIdleUs: number
}

const START = Buffer.from('HTTP/1.')
const EMPTY_LINE_BYTES = 4

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: |$)/
const LENGTH = /^\d{1,15}$/
const KEEP_ALIVE_TIMEOUT = /(?:^|[\s,])timeout=(\d+)/
const NO_HEAD: AnswerHead = { status: 0, fields: NO_FIELDS, headers: {}, body: 0, keepAlive: false, keptIdleUs: 0 }

export class HeadReader {
  /** What was read last. */
  head = NO_HEAD
  /** Where it ends in the piece that was read last. */
  after = 0
  readonly #section = new Section()
  /** Of a head whose end has not come, how many bytes have been looked at. */
  #checked = 0
  /** The bytes of the last head, and its lines with what was read of them. */
  #known: Buffer = Buffer.alloc(0)
  #lines: string[] = []
  #fields: Field[] = []

  /** Another answer is expected. */
  begin(): void {
    this.#section.begin(false)
    this.#checked = 0
  }

  /** Reads a head that begins at `at`, or goes on there. False: its end has not come yet. */
  read(piece: Buffer, at: number): boolean | AnswerFault {
    const section = this.#section
    const begins = section.kept === 0
    if (begins && this.#isKnown(piece, at)) {
      this.after = at + this.#known.length
      return true
    }
    const from = begins ? skipLineEnds(piece, at) : at
    if (from === piece.length) return false
    const read = section.read(piece, from)
    if (read === false) return this.#check() ?? false
    const { bytes } = section
    if (begins && !startsLikeHttp(piece, from)) return noHttp(piece.subarray(from))
    if (read !== true) return read
    const head = this.#parse(bytes.toString('latin1', section.from, section.to).split('\r\n'))
    if (head instanceof Error) return head
    this.head = head
    this.after = section.after
    this.#known = Buffer.from(bytes.subarray(section.from, section.to + EMPTY_LINE_BYTES))
    this.begin()
    return true
  }

  #isKnown(bytes: Buffer, at: number): boolean {
    const { length } = this.#known
    const end = at + length
    return length > 0 && end <= bytes.length && this.#known.compare(bytes, at, end) === 0
  }

  /** What is wrong already will not be right at the end of the head, which may never come. */
  #check(): BadAnswer | undefined {
    const { bytes } = this.#section
    if (!startsLikeHttp(bytes, 0)) return noHttp(bytes)
    for (let end = bytes.indexOf(LF, this.#checked); end >= 0; end = bytes.indexOf(LF, this.#checked)) {
      if (bytes[end - 1] !== CR) return new BadAnswer('a line ends with a bare line feed')
      const line = bytes.toString('latin1', this.#checked, end - 1)
      const read = this.#checked === 0 ? readStatusLine(line) : readField(line)
      if (read instanceof Error) return read
      this.#checked = end + 1
    }
    return undefined
  }

  #parse(lines: string[]): AnswerHead | BadAnswer {
    const status = readStatusLine(lines[0] ?? '')
    if (status instanceof Error) return status
    const fields: Field[] = []
    for (let i = 1; i < lines.length; i++) {
      const line = lines[i] ?? ''
      const known = this.#lines[i] === line ? this.#fields[i - 1] : undefined
      const field = known ?? readField(line)
      if (field instanceof Error) return field
      fields.push(field)
    }
    this.#lines = lines
    this.#fields = fields
    return frame(status[1] === '0', Number(status[2]), fields)
  }
}

/** Whether the bytes from `at` on are the beginning of an answer, as far as they go. */
function startsLikeHttp(bytes: Buffer, at: number): boolean {
  for (let i = 0; i < START.length && at + i < bytes.length; i++) if (bytes[at + i] !== START[i]) return false
  return true
}

function noHttp(bytes: Buffer): BadAnswer {
  return new BadAnswer('it does not begin like one', Buffer.from(bytes))
}

function readStatusLine(line: string): RegExpExecArray | BadAnswer {
  const status = STATUS_LINE.exec(line)
  return status && isText(line) ? status : new BadAnswer('its first line is no status')
}

/** How the body is framed (RFC 9112, 6.3). What can be read in two ways is refused. */
function frame(http10: boolean, status: number, fields: readonly Field[]): AnswerHead | BadAnswer {
  const headers: ResponseHeaders = toRecord(fields)
  const connection = wordsOf(headers.connection)
  const transfer = headers['transfer-encoding']
  const length = headers['content-length']
  if (length !== undefined && transfer !== undefined) return new BadAnswer('a length, and a transfer encoding too')
  if (length !== undefined && !LENGTH.test(String(length))) return new BadAnswer(`a length of '${length}'`)
  const body =
    transfer === undefined
      ? length === undefined
        ? UNTIL_CLOSE
        : Number(length)
      : wordsOf(transfer).at(-1) === 'chunked'
        ? CHUNKED
        : UNTIL_CLOSE
  const bodiless = status < 200 || status === 204 || status === 304
  const stays = http10 ? connection.includes('keep-alive') : !connection.includes('close')
  return {
    status,
    fields,
    headers,
    body: bodiless ? 0 : body,
    // A body where none may be would be taken for the next answer.
    keepAlive: stays && (bodiless ? body === 0 || (body === UNTIL_CLOSE && transfer === undefined) : body >= CHUNKED),
    keptIdleUs: keptIdleUs(headers['keep-alive']),
  }
}

function wordsOf(value: string | string[] | undefined): string[] {
  return value === undefined
    ? []
    : String(value)
        .toLowerCase()
        .split(',')
        .map((word) => word.trim())
}

function keptIdleUs(value: string | string[] | undefined): number {
  const seconds = value === undefined ? undefined : KEEP_ALIVE_TIMEOUT.exec(String(value).toLowerCase())?.[1]
  return seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * 1e6
}
