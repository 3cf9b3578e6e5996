/** What the columns of a trace are called that is of no known format, as a flag takes it. */
import { failure, type Result, success } from '../../errors.ts'
import { parsedBy } from '../../parse/quantity.ts'
import type { CsvColumns } from './formats.ts'

const COLUMN_KEYS = ['at', 'at-ms', 'input', 'output']
export const COLUMNS_HELP = 'columns (CSV) or members (JSON) of any other trace'
export const COLUMNS_EXAMPLE = 'at=time,input=prompt_tokens,output=completion_tokens'

/** 'at=time,input=a,output=b': what the columns are called. */
export const traceColumns = parsedBy((given): Result<CsvColumns> => {
  const named = new Map<string, string>()
  for (const pair of given.split(',')) {
    const [, key = '', name = ''] = /^\s*([a-z-]+)=(.+?)\s*$/.exec(pair) ?? []
    if (!COLUMN_KEYS.includes(key)) {
      return failure(`'${pair.trim()}' is not one of at=NAME, at-ms=NAME, input=NAME, output=NAME`)
    }
    named.set(key, name)
  }
  const [at, atMs] = [named.get('at'), named.get('at-ms')]
  const [input, output] = [named.get('input'), named.get('output')]
  const time = at ?? atMs
  if (time === undefined || (at !== undefined && atMs !== undefined)) {
    return failure('needs one of at=NAME (a time, or seconds) and at-ms=NAME (milliseconds)')
  }
  if (input === undefined || output === undefined) return failure('needs input=NAME and output=NAME, both in tokens')
  return success({ at: time, unit: at === undefined ? 'ms' : 's', input, output })
}, `columns such as '${COLUMNS_EXAMPLE}'`)
