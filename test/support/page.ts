/** Pages to print on: as wide as a pipe, without colours. */
import { makePage } from '../../src/output/table.ts'

export const PAGE = makePage(80, false)
export const EXPLAINED = makePage(80, false, true)
