/** What may be wrong with an answer over HTTP/1.1. failure.ts makes classes of them. */

/** What came is not HTTP/1.1, or not in its order. */
export class BadAnswer extends Error {
  readonly code = 'KT_BAD_ANSWER'
  /** The bytes that came instead. */
  readonly data: Buffer | undefined

  constructor(what: string, data?: Buffer) {
    super(`the answer is no HTTP/1.1: ${what}`)
    this.data = data
  }
}

/** More than kt keeps of a head, or of the trailers. */
export class HeadTooLarge extends Error {
  readonly code = 'KT_HEAD_TOO_LARGE'

  constructor(bytes: number) {
    super(`the head of the answer has more than ${bytes / 1_024} KiB`)
  }
}

/** The other side closed the connection before the answer was whole. */
export class ClosedByPeer extends Error {
  readonly code = 'KT_CLOSED'
  override readonly message = 'other side closed'
}

export type AnswerFault = BadAnswer | HeadTooLarge | ClosedByPeer
