/**
 * Which detectors of a group must read a piece of text. Each of them has objects of its own in every stream, and a
 * stream is asked for its next token long after the processor has forgotten them. So the characters are looked up in
 * two small tables that all streams share, and a detector that has nothing under way, and for which no character may
 * begin a match, is not touched.
 */
import { ASCII, isLetterOrDigit, type TextBuffer } from '../pattern/text-buffer.ts'
import type { Detector, PolicyGroup } from '../policy/policy.ts'

/** A bit for each detector. */
export const ALL = -1
const MOST = 31

/** By ASCII character: the detectors that may begin a match with it, inside of a word and elsewhere. */
export interface Skim {
  inside: Int32Array
  elsewhere: Int32Array
}

const known = new WeakMap<PolicyGroup, Skim>()

/** `detectors` are all of the group, in its order. Undefined where there are too many to tell them apart. */
export function skimOf(group: PolicyGroup, detectors: readonly Detector[]): Skim | undefined {
  if (detectors.length > MOST) return undefined
  let skim = known.get(group)
  if (!skim) {
    skim = { inside: new Int32Array(ASCII), elsewhere: new Int32Array(ASCII) }
    for (const [i, { starters }] of detectors.entries()) {
      for (let unit = 0; unit < ASCII; unit++) {
        if (starters?.inside[unit] !== 0) skim.inside[unit] = (skim.inside[unit] ?? 0) | (1 << i)
        if (starters?.elsewhere[unit] !== 0) skim.elsewhere[unit] = (skim.elsewhere[unit] ?? 0) | (1 << i)
      }
    }
    known.set(group, skim)
  }
  return skim
}

/** The detectors that a match of ASCII text from `from` on may begin for. */
export function startersIn({ inside, elsewhere }: Skim, { units, base, end }: TextBuffer, from: number): number {
  let found = 0
  let isInside = from > 0 && isLetterOrDigit(units[from - 1 - base] ?? 0)
  for (let at = from; at < end; at++) {
    const unit = units[at - base] ?? 0
    found |= (isInside ? inside[unit] : elsewhere[unit]) ?? ALL
    isInside = isLetterOrDigit(unit)
  }
  return found
}
