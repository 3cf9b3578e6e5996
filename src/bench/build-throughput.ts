/** The rates of an arm: what it carried a second, in requests, tokens, events and bytes, and over which time. */
import type { ArmRecord } from '../load/arm-record.ts'
import type { TokenRecord } from '../load/token-counter.ts'
import type { ArmResult } from '../report/schema.ts'
import { risingSlope } from '../stats/trend.ts'

type Throughput = ArmResult['throughput']

/**
 * Open loop: the time in which the arm carried its requests. That is the time in which they were due, without the
 * drain, which depends on how long an answer takes and not on how many are carried. It is longer where requests left
 * late, and where answers fell behind: latency that grows by s seconds a second stretches the answers to (1 + s) times
 * the time in which they were due.
 */
export function loadTimeUs({ dueUs, lateUs, trend }: ArmRecord): number {
  return Math.max(dueUs + lateUs, dueUs * (1 + risingSlope(trend)))
}

export function buildThroughput({ tokens, bodyBytes }: ArmRecord, answers: number, loadUs: number): Throughput {
  const perSec = (count: number): number => (loadUs > 0 ? Math.round((count / loadUs) * 1e9) / 1e3 : 0)
  const { fromUsage, fromTokenizer, fromEvents, input, output, events } = tokens
  const counted = fromUsage + fromTokenizer + fromEvents > 0
  const part = <K extends keyof Throughput>(name: K, count: number) => (count > 0 ? { [name]: perSec(count) } : {})
  return {
    requestsPerSec: perSec(answers),
    inputTokensPerSec: fromUsage + fromTokenizer > 0 ? perSec(input) : null,
    outputTokensPerSec: counted ? perSec(output) : null,
    tokensPerSec: counted ? perSec(input + output) : null,
    eventsPerSec: perSec(events),
    bytesPerSec: perSec(bodyBytes),
    tokenSource: toTokenSource(tokens),
    counted: { usage: fromUsage, tokenizer: fromTokenizer, events: fromEvents },
    ...part('hiddenTokensPerSec', tokens.hidden),
    ...part('cachedTokensPerSec', tokens.cached),
    ...part('cacheWrittenTokensPerSec', tokens.cacheWritten),
    ...(tokens.failedAnswers > 0
      ? { failedAnswers: { answers: tokens.failedAnswers, outputTokens: tokens.failedOutput } }
      : {}),
  }
}

function toTokenSource({ fromUsage, fromTokenizer, fromEvents }: TokenRecord): Throughput['tokenSource'] {
  const sources = [fromUsage > 0 ? 'usage' : [], fromTokenizer > 0 ? 'tokenizer' : [], fromEvents > 0 ? 'events' : []]
  const [first = 'none', ...others] = sources.flat() as ('usage' | 'tokenizer' | 'events')[]
  return others.length > 0 ? 'mixed' : first
}
