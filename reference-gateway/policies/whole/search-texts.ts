/** What a policy's rules find in whole texts: the same search as in streams, over each whole text at once. */
import type { TextFinding } from '../kinds/edits.ts'
import { CHARACTERS_PER_TOKEN, type Policy } from '../kinds/policy.ts'
import type { IsOverBudget } from '../pattern/search-budget.ts'
import { TextBuffer } from '../pattern/text-buffer.ts'

/**
 * Returns a list of findings for each text; undefined when the budget was used up before the end. Policies with a
 * webhook find nothing here. `buffers` of the same texts are made where needed, and kept for the next policy.
 */
export function searchTexts(
  policy: Policy,
  texts: readonly string[],
  over?: IsOverBudget,
  buffers: TextBuffer[] = [],
): TextFinding[][] | undefined {
  if (policy.maxTokens !== undefined) return overLength(policy.maxTokens, texts)
  const found: TextFinding[][] = []
  for (const [i, text] of texts.entries()) {
    const findings: TextFinding[] = []
    found.push(findings)
    const rules = (policy.rules ?? []).filter((rule) => rule.mayMatch(text))
    if (rules.length === 0) continue
    const buffer = buffers[i] ?? TextBuffer.of(text)
    buffers[i] = buffer
    for (const rule of rules) {
      const search = rule.search(Number.POSITIVE_INFINITY, false)
      if (!search.finish(buffer, over)) return undefined
      for (const { start, end } of search.matches) findings.push({ start, end, replacement: rule.replacement })
    }
  }
  return found
}

/** Counts all texts together: the text beyond the limit is found. */
function overLength(maxTokens: number, texts: readonly string[]): TextFinding[][] {
  let left = maxTokens * CHARACTERS_PER_TOKEN
  return texts.map((text) => {
    const start = Math.max(0, Math.min(left, text.length))
    left -= text.length
    return start < text.length ? [{ start, end: text.length, replacement: '' }] : []
  })
}
