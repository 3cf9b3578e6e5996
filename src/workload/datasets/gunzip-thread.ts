/** The entry of the thread that unpacks a dataset, a piece at a time, as traces are unpacked. */
import { UserError } from '../../errors.ts'
import { readPieces } from '../traces/source.ts'
import { inThread } from './from-thread.ts'
import type { FromGunzipThread } from './source.ts'

const NEWLINE = 10

const { path, post } = inThread<FromGunzipThread>()
let lines = 0

try {
  for await (const piece of readPieces(path, () => lines)) {
    for (let at = piece.indexOf(NEWLINE); at !== -1; at = piece.indexOf(NEWLINE, at + 1)) lines++
    post({ piece })
  }
  post({ done: true })
} catch (error) {
  if (!(error instanceof Error)) throw error
  const next = error instanceof UserError ? error.next : undefined
  post({ failed: { why: error.message, ...(next === undefined ? {} : { next }) } })
}
