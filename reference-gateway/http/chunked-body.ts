/**
 * Chunked transfer coding (RFC 9112, 7.1) of a response that leaves piece by piece. Node frames each piece with three
 * writes. In a stream a token is a piece, so here a piece is one buffer and one write. Pieces of one turn of the event
 * loop leave together, as with Node.
 */
import type { ServerResponse } from 'node:http'
import { isFieldValue } from './headers.ts'

/** Pieces up to this size are copied behind their length; larger pieces are written apart. */
const COPIED_BYTES = 4 * 1024
const CRLF = '\r\n'

export class ChunkedBody {
  readonly #response: ServerResponse
  #corked = false

  private constructor(response: ServerResponse) {
    this.#response = response
  }

  /**
   * Call it after `writeHead`. Undefined where the response is not chunked: it has a length, no body, or an HTTP/1.0
   * client.
   */
  static takeOver(response: ServerResponse): ChunkedBody | undefined {
    if (!response.chunkedEncoding) return undefined
    // The head that announces chunks exists already; from now on Node writes bytes as they are given.
    response.chunkedEncoding = false
    return new ChunkedBody(response)
  }

  /** Returns what `write` of the response returns. */
  write(piece: Buffer): boolean {
    const { length } = piece
    // An empty chunk would end the body.
    if (length === 0) return !this.#response.writableNeedDrain
    this.#cork()
    const size = length.toString(16) + CRLF
    if (length > COPIED_BYTES) {
      this.#response.write(size, 'latin1')
      this.#response.write(piece)
      return this.#response.write(CRLF, 'latin1')
    }
    const framed = Buffer.allocUnsafe(size.length + length + 2)
    framed.write(size, 0, 'latin1')
    framed.set(piece, size.length)
    framed[size.length + length] = 13
    framed[size.length + length + 1] = 10
    return this.#response.write(framed)
  }

  /** Writes the last chunk and the trailer fields. */
  end(trailers: readonly (readonly [string, string])[]): void {
    let last = `0${CRLF}`
    for (const [name, value] of trailers) {
      if (isFieldValue(value)) last += `${name}: ${value}${CRLF}`
    }
    this.#response.end(last + CRLF, 'latin1')
  }

  #cork(): void {
    if (this.#corked) return
    this.#corked = true
    this.#response.cork()
    process.nextTick(uncork, this)
  }

  uncork(): void {
    this.#corked = false
    this.#response.uncork()
  }
}

function uncork(chunks: ChunkedBody): void {
  chunks.uncork()
}
