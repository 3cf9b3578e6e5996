/** A JSON answer in time: one write, head and body, or the two halves that a fault makes of it. */
import type { Whole } from './ask.ts'
import type { Mishap } from './faults.ts'
import type { Reply } from './reply.ts'

/** Stands for the end of the body in a malformed answer. */
const LOST_CHARS = 5

/** Writes `body` at `dueUs`; it holds `tokens` tokens. */
export function answerWhole(
  reply: Reply,
  body: Whole,
  tokens: number,
  dueUs: number,
  mishap: Mishap | undefined,
  stallUs: number,
): void {
  const bareBytes = Buffer.byteLength(body('', ''))
  reply.at(dueUs, () => {
    const providerUs = reply.providerUs()
    reply.note(200, providerUs, tokens)
    const { member, text: textEnd } = reply.stamps(providerUs)
    const bytes = bareBytes + member.length + textEnd.length
    const text = body(member, textEnd)
    if (mishap === undefined) {
      reply.headJson(200, providerUs, bytes)
      reply.end(text)
      return
    }
    if (mishap === 'malformed') {
      reply.headJson(200, providerUs, bytes - LOST_CHARS)
      reply.end(text.slice(0, -LOST_CHARS))
      return
    }
    const half = text.slice(0, text.length >> 1)
    reply.headJson(200, providerUs, bytes)
    reply.write(half)
    if (mishap === 'truncate') reply.cut('close')
    else reply.at(reply.nowUs() + stallUs, () => reply.end(text.slice(half.length)))
  })
}
