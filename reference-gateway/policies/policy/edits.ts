/** Replacements in a text, in the text's own positions: merged within a group, and applied to a string. */

/** What a policy found in a text, and what replaces it. */
export interface TextFinding {
  start: number
  end: number
  replacement: string
}

export interface Edit {
  readonly start: number
  /** Grows while the match does. */
  readonly end: number
  readonly text: string
}

/** `findings` holds those of one group, in the policies' order. Findings that overlap become one edit. */
export function mergeFindings(findings: readonly TextFinding[]): Edit[] {
  const sorted = findings.map((finding, order) => ({ finding, order }))
  sorted.sort((a, b) => a.finding.start - b.finding.start || a.order - b.order)
  const merged: { start: number; end: number; text: string }[] = []
  for (const { finding } of sorted) {
    const last = merged.at(-1)
    if (last && finding.start < last.end) last.end = Math.max(last.end, finding.end)
    else merged.push({ start: finding.start, end: finding.end, text: finding.replacement })
  }
  return merged
}

export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = ''
  let at = 0
  for (const { start, end, text: replacement } of edits) {
    result += text.slice(at, start) + replacement
    at = end
  }
  return result + text.slice(at)
}
