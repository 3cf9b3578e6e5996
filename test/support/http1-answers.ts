/** What bytes are read as over HTTP/1.1: by kt's own parser, and by the client of Node. */
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { AnswerParser } from '../../src/http1/answer-parser.ts'
import { toRecord } from '../../src/http1/fields.ts'

/** An answer as it was read; `failed` where it was refused, or not whole. */
export type ReadAnswer =
  | { failed: true; error: Error }
  | { failed: false; status: number; headers: object; body: string; trailers: object; more: boolean }

/** As kt reads it, in these pieces, the last of which is followed by the end of the connection. */
export function readByKt(pieces: readonly Buffer[], parser?: AnswerParser): ReadAnswer {
  let read: ReadAnswer | undefined
  let status = 0
  let headers: object = {}
  const body: Buffer[] = []
  const own =
    parser ??
    new AnswerParser({
      head: (head) => {
        status = head.status
        headers = head.headers
      },
      data: (part) => body.push(Buffer.from(part)),
      end: (trailers, more) => {
        const text = Buffer.concat(body).toString('latin1')
        read = { failed: false, status, headers, body: text, trailers: toRecord(trailers), more }
      },
    })
  own.expect()
  for (const piece of pieces) {
    const error = own.push(piece)
    if (read) return read
    if (error) return { failed: true, error }
  }
  const error = own.finish()
  if (error) return { failed: true, error }
  if (!read) throw new Error('neither an answer nor a fault')
  return read
}

/** The same bytes as Node's client reads them, over a socket. */
export class NodeReader {
  readonly #server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(this.#bytes))
  })
  #bytes: Buffer = Buffer.alloc(0)

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  close(): void {
    this.#server.close()
  }

  read(bytes: Buffer): Promise<ReadAnswer> {
    this.#bytes = bytes
    const { port } = this.#server.address() as AddressInfo
    return new Promise((resolve) => {
      const fail = (error: Error) => resolve({ failed: true, error })
      const sent = request({ port, host: '127.0.0.1', method: 'POST', agent: false }, (answer) => {
        const body: Buffer[] = []
        answer.on('error', fail)
        answer.on('data', (part: Buffer) => body.push(part))
        answer.on('end', () => {
          const text = Buffer.concat(body).toString('latin1')
          const { statusCode: status = 0, headers, trailers } = answer
          resolve({ failed: false, status, headers, body: text, trailers, more: false })
        })
      })
      sent.on('error', fail)
      sent.on('upgrade', (_answer, socket) => {
        socket.destroy()
        fail(new Error('an upgrade'))
      })
      sent.end('{}')
    })
  }
}

/** Cuts bytes at these places. */
export function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [...ends, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end))
}
