/**
 * The text of a trace's row: as many tokens as the row tells, made of the words of all generated text. Where the row
 * tells the hashes of the blocks of its prompt, the same hash gives the same block, so that prompts share the prefixes
 * that the recorded ones shared. What no hash stands for is the row's own.
 */
import { hash32 } from '../../stats/random.ts'
import type { Filler } from '../filler.ts'
import type { RingRows } from './ring.ts'

const PLACES = 4_294_967_296

export function traceText(rows: RingRows, words: Filler, seed: number): (index: number) => string {
  const place = (key: string): number => hash32(`${seed}/${key}`) / PLACES
  return (index) => {
    const tokens = Math.max(1, rows.inputTokens(index))
    const { blockTokens } = rows
    const blocks = rows.idCount(index)
    if (blocks === 0) return words.text(tokens, place(`${index}/at`))
    // The first word of a text is the same in all of them, and counts to its first block.
    let text = words.text(1, 0)
    let written = 1
    for (let block = 0; block < blocks && written < tokens; block++) {
      const end = Math.min(tokens, (block + 1) * blockTokens)
      text += words.further(end - written, place(`block/${rows.id(index, block)}`))
      written = end
    }
    return written < tokens ? text + words.further(tokens - written, place(`${index}/at`)) : text
  }
}
