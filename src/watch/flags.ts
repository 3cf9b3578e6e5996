/** The flags of what is watched beside a run. */
import { z } from 'zod'
import { flagGroup } from '../parse/flags.ts'
import type { NamedPid } from './processes.ts'

const { texts } = flagGroup('WATCH')

/** As many as a plot tells apart. */
const MOST = 8

/** What stands before the first '=' names it in reports, tables and plots. */
const NAMED = /^([A-Za-z][\w.-]{0,39})=(.+)$/

const process = z.string().transform((given, context): NamedPid => {
  const [, name, pid = ''] = NAMED.exec(given) ?? []
  if (name !== undefined && /^[1-9]\d{0,9}$/.test(pid)) return { name, pid: Number(pid) }
  context.addIssue({ code: 'custom', message: `'${given}' is not of the form NAME=PID` })
  return z.NEVER
})

/** A repeatable flag whose values have names of their own. */
function named<T extends { name: string }>(type: z.ZodType<T, string>) {
  return z
    .array(type)
    .max(MOST, `at most ${MOST} can be watched`)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'two of them have one name')
    .default([])
}

export const watchFlags = {
  'arm-pid': texts(
    named(process),
    'CPU and memory of this process, and of those it started, once a second; repeatable (Linux)',
    { example: 'gateway=1234' },
  ),
}
