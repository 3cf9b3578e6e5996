/**
 * Plays a recorded answer at its own pace, or faster: each piece leaves when it came, counted from the request's last
 * byte, on the timers and with the stamps of simulated answers. What is recorded as broken breaks off in the same way.
 */
import type { Reply } from '../reply.ts'
import type { Script, Write } from './script.ts'

/** What came within less is written at once. */
const TOGETHER_US = 1_000

export function playAnswer(reply: Reply, script: Script, speed: number): void {
  const { answer, endUs } = script
  const { status } = answer
  if (status === null) reply.at(reply.receivedUs + endUs / speed, () => reply.cut('reset'))
  else if (isOneWrite(reply, script)) playWhole(reply, script, status, speed)
  else new Playing(reply, script, status, speed).goOn()
}

/** Head and body in one write, at the answer's end. */
function playWhole(reply: Reply, script: Script, status: number, speed: number): void {
  reply.at(reply.receivedUs + script.endUs / speed, () => {
    const providerUs = reply.providerUs()
    reply.note(status, providerUs, script.tokens, 0)
    const body = Buffer.concat(script.writes.map((write) => bytesOf(reply, script, write, providerUs)))
    reply.headRecorded(status, providerUs, [...script.answer.headers.flat(), 'content-length', String(body.length)])
    reply.end(body)
  })
}

/** An answer that leaves piece by piece. */
class Playing {
  readonly #reply: Reply
  readonly #script: Script
  readonly #status: number
  readonly #speed: number
  readonly #chars: number
  readonly #endsWithLast: boolean
  #begun = false
  /** The next write; and what the writes before it held. */
  #next = 0
  #eventsSent = 0
  #charsSent = 0

  constructor(reply: Reply, script: Script, status: number, speed: number) {
    const { answer, writes, endUs } = script
    const last = writes.at(-1)
    this.#reply = reply
    this.#script = script
    this.#status = status
    this.#speed = speed
    this.#chars = writes.reduce((sum, { chars }) => sum + chars, 0)
    this.#endsWithLast = answer.end === 'whole' && last !== undefined && endUs - last.us < TOGETHER_US
  }

  readonly goOn = (): void => {
    const { answer, writes, headUs, endUs } = this.#script
    if (!this.#begun) {
      if (this.#isEarly(headUs)) return
      this.#begun = true
      this.#reply.headRecorded(this.#status, this.#reply.providerUs(), answer.headers.flat())
    }
    for (let write = writes[this.#next]; write; write = writes[this.#next]) {
      if (this.#isEarly(write.us)) return
      this.#next++
      const bytes = this.#stamped(write)
      if (this.#endsWithLast && this.#next === writes.length) {
        this.#reply.end(bytes)
        return
      }
      if (!this.#reply.write(bytes)) {
        this.#reply.onceDrained(this.goOn)
        return
      }
    }
    if (this.#isEarly(endUs)) return
    if (answer.end === 'whole') this.#reply.end('')
    else this.#reply.cut('close')
  }

  /** Goes on at `us` where that is still to come. */
  #isEarly(us: number): boolean {
    const dueUs = this.#reply.receivedUs + us / this.#speed
    if (this.#reply.isDue(dueUs)) return false
    if (this.#begun && this.#next === 0) this.#reply.flushHead()
    this.#reply.at(dueUs, this.goOn)
    return true
  }

  /** The bytes of a write that is made now, and its place in the truth. */
  #stamped(write: Write): Buffer {
    const { tokens } = this.#script
    this.#eventsSent += write.events
    this.#charsSent += write.chars
    const sent = this.#chars > 0 ? Math.round((tokens * this.#charsSent) / this.#chars) : tokens
    const providerUs = this.#reply.providerUs()
    this.#reply.note(this.#status, providerUs, sent, this.#eventsSent)
    return bytesOf(this.#reply, this.#script, write, providerUs)
  }
}

/**
 * An answer that came at once leaves at once, with its length. So does one in which no stamp can stand though its
 * request asks for one: then only the header tells how long it took, and the header must not leave before the end.
 */
function isOneWrite(reply: Reply, { answer, streamed, stamped, headUs, endUs }: Script): boolean {
  if (streamed || answer.end !== 'whole') return false
  return endUs - headUs < TOGETHER_US || (reply.record !== undefined && !stamped)
}

/** The bytes of a write: stamped where its request asks for that, else as they were recorded. */
function bytesOf(reply: Reply, { stamped }: Script, write: Write, providerUs: number): Buffer {
  if (!stamped || !reply.record) return write.bytes
  const stamps = reply.stamps(providerUs)
  return Buffer.concat(write.pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(stamps[piece]) : piece)))
}
