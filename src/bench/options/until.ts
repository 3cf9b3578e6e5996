/** What `kt bench sweep --until` may search for: a threshold that one run by itself keeps or breaks. */
import { failure, type Result, success } from '../../errors.ts'
import { nextOf } from '../../parse/parse-flags.ts'
import { parsedBy } from '../../parse/quantity.ts'
import type { Threshold } from '../../slo/threshold.ts'
import type { SearchedThreshold } from '../../verdict/level-evidence.ts'
import { threshold } from '../../verdict/thresholds.ts'

export interface UntilLimit {
  threshold: SearchedThreshold
  /** The SLO category that goodput is counted by: 'goodput.chat-short>99%'. */
  category: string | undefined
}

const GOODPUT_OF = /^\s*goodput\.([a-z][a-z0-9-]*)(\s*[<>].*)$/

export const untilLimit = parsedBy((given): Result<UntilLimit> => {
  const [, category, rest] = GOODPUT_OF.exec(given) ?? []
  const read = threshold.safeParse(category === undefined ? given : `goodput${rest}`)
  if (!read.success) {
    const [issue] = read.error.issues
    return failure(issue?.message ?? `'${given}' is no threshold`, issue && nextOf(issue))
  }
  const why = whyNotSearched(read.data)
  if (why !== undefined) return failure(`'${given}': ${why}`, "Give a limit such as 'ttft.p99<200ms'.")
  const searched = { ...read.data, text: given.trim() } as SearchedThreshold
  return success({ threshold: searched, category })
}, "a threshold such as 'overhead.p99<7ms'")

function whyNotSearched(read: Threshold): string | undefined {
  if (read.kind === 'delta' || read.kind === 'ratio') return 'a sweep has no baseline to compare with'
  if (read.kind !== 'figure') return undefined
  if (read.of === 'answers.changed') return 'a sweep has no other arm whose answers to compare'
  return read.of.startsWith('throughput.') ? 'more load gives more throughput, so no highest load keeps it' : undefined
}
