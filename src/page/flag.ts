/** The flag of every command whose result has a page. */
import { z } from 'zod'
import { flagGroup } from '../parse/flags.ts'
import { assertWritable } from '../report/write-output.ts'
import { stdoutFlag } from '../report/write-report.ts'

export const htmlFlag = {
  html: flagGroup('RESULT').text(
    z.string().optional(),
    'write a page with plots and tables to this file: self-contained, to be shown to anybody',
    { helpValue: 'page.html' },
  ),
}

/** Called before anything else, because a file that cannot be written would be found out too late. */
export function assertPageWritable(path: string | undefined): void {
  if (path !== undefined) assertWritable(path, '--html')
}

/** The same of a command with no other file; '--html' where that is stdout. */
export function openPage(path: string | undefined, json: boolean): string | undefined {
  assertPageWritable(path)
  return stdoutFlag({ '--html': path }, json)
}
