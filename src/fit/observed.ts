/** What answers tell of their provider's pace, shape and faults: of cassettes here, of traces in traced.ts. */
import type { Cassette } from '../provider/cassette/cassette.ts'
import { headerOf } from '../provider/cassette/cassette.ts'
import { type Script, scriptOf } from '../provider/cassette/script.ts'
import type { Fault } from '../provider/faults.ts'
import { readRetryAfterMs } from '../wire/retry-after.ts'

/** A time that several tokens took. */
export interface TokenTime {
  us: number
  tokens: number
}

export interface Observed {
  /** Answers, those that failed too. */
  answers: number
  /** Answered with another 4xx: the request's own fault, and no part of the provider's. */
  refused: number
  /** To the first token. */
  ttftUs: number[]
  /** From a write of tokens to the next. */
  gaps: TokenTime[]
  /** Of answers that tell their end only. */
  totals: TokenTime[]
  /** Visible tokens of whole answers. */
  tokens: number[]
  /** Tokens of an event, the mean of a write. */
  perEvent: number[]
  events: number
  writes: number
  faults: Map<Fault, number>
  retryAfterMs: number[]
  /** Billed and never shown, in some answer. */
  hidden: boolean
}

export function nothingObserved(): Observed {
  return {
    ...{ answers: 0, refused: 0, ttftUs: [], gaps: [], totals: [], tokens: [], perEvent: [], events: 0, writes: 0 },
    ...{ faults: new Map(), retryAfterMs: [], hidden: false },
  }
}

export function observeCassette({ answers }: Cassette, observed: Observed): void {
  for (const { answer, line } of answers) observeScript(scriptOf(answer, line), observed)
}

function observeScript(script: Script, observed: Observed): void {
  const { answer, fault, usage, tokens, hidden, streamed, endUs } = script
  observed.answers++
  if (fault) {
    observed.faults.set(fault, (observed.faults.get(fault) ?? 0) + 1)
    const waitMs = readRetryAfterMs(headerOf(answer, 'retry-after'))
    if (fault === 'rate_limit' && waitMs !== undefined) observed.retryAfterMs.push(waitMs)
    return
  }
  if (answer.status !== 200) {
    observed.refused++
    return
  }
  if (tokens > 0) observed.tokens.push(tokens)
  if (hidden > 0) observed.hidden = true
  if (streamed) observeStream(script, observed)
  else if (usage && usage.output > 0) observed.totals.push({ us: endUs, tokens: usage.output })
}

function observeStream({ writes, tokens }: Script, observed: Observed): void {
  const bearing = merged(writes.filter(({ events }) => events > 0))
  const [first] = bearing
  if (!first) return
  const chars = bearing.reduce((sum, write) => sum + write.chars, 0)
  const events = bearing.reduce((sum, write) => sum + write.events, 0)
  // Of tokens that come one by one, the length of a word says nothing.
  const single = Math.abs(tokens / events - 1) < ONE_BY_ONE
  observed.ttftUs.push(first.us)
  bearing.forEach((write, i) => {
    const written = single ? write.events : (tokens * write.chars) / chars
    observed.events += write.events
    observed.writes++
    observed.perEvent.push(written / write.events)
    const next = bearing[i + 1]
    if (next) observed.gaps.push({ us: next.us - write.us, tokens: written })
  })
}

/** What came within so short a time was one write, which the network cut. */
const ONE_WRITE_US = 50
/** Some events bear no token of their own: a first one without text, an end. */
const ONE_BY_ONE = 0.15

function merged(writes: readonly Script['writes'][number][]): { us: number; events: number; chars: number }[] {
  const all: { us: number; events: number; chars: number }[] = []
  for (const { us, events, chars } of writes) {
    const last = all.at(-1)
    if (last && us - last.us < ONE_WRITE_US) {
      last.events += events
      last.chars += chars
    } else all.push({ us, events, chars })
  }
  return all
}
