/** Replacements in a text, in the text's own positions: merged within a group, and applied to a string. */

import type { JoinedText } from '../../../src/wire/strings.ts'

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

/** A part that a replacement takes the end of ends after the replacement, which belongs to the part it begins in. */
export function applyEdits({ text, ends }: JoinedText, edits: readonly Edit[]): JoinedText {
  let result = ''
  let at = 0
  const moved: number[] = []
  const move = (upTo: number): void => {
    for (let end = ends[moved.length]; end !== undefined && end <= upTo; end = ends[moved.length]) {
      moved.push(result.length + Math.max(0, end - at))
    }
  }
  for (const { start, end, text: replacement } of edits) {
    move(start)
    result += text.slice(at, start) + replacement
    at = end
    move(end)
  }
  move(text.length)
  return { text: result + text.slice(at), ends: moved }
}
