/**
 * Publishes a verdict where CI looks for it, for every command that judges: JUnit and Markdown files, the job summary
 * of GitHub Actions, its annotations.
 */
import { appendFileSync } from 'node:fs'
import { z } from 'zod'
import type { Inconclusive } from '../errors.ts'
import { type FlagDefinition, type FlagDefinitions, type FlagValues, flagGroup, oneOf } from '../parse/flags.ts'
import { Faults, givenOf, type Rule } from '../parse/parse-flags.ts'
import type { Gate } from '../report/schema.ts'
import { writeEach } from '../report/write-each.ts'
import { assertWritable, writeOutput } from '../report/write-output.ts'
import { stdoutFlag } from '../report/write-report.ts'
import { printable, printableLines } from '../system/printable.ts'
import { renderJunit } from './junit.ts'
import { checkSentence, verdictWord } from './sentences.ts'

const { text } = flagGroup('CI')

/** The flags of every command that publishes a verdict. */
export const ciFlags = {
  inconclusive: text(
    oneOf(['fail', 'warn']).optional(),
    'inconclusive verdict: fail exits 4, warn exits 0 [default: fail]',
    { helpValue: 'fail|warn' },
  ),
  junit: text(z.string().optional(), "write the verdicts as JUnit XML to this file; '-': stdout"),
  markdown: text(
    z.string().optional(),
    "write verdicts and figures as Markdown to this file ('-': stdout); $GITHUB_STEP_SUMMARY gets them too",
  ),
}

/** The flags of a command that judges reports, read together with those that publish the verdict. */
export function parseJudgingFlags<D extends FlagDefinitions & { json: FlagDefinition<z.ZodDefault<z.ZodBoolean>> }>(
  flags: Readonly<Record<string, unknown>>,
  definitions: D,
  command: string,
  rules: readonly Rule<FlagValues<D> & FlagValues<typeof ciFlags>>[] = [],
): { options: FlagValues<D> & FlagValues<typeof ciFlags>; taken: string | undefined } {
  const faults = new Faults()
  const given = givenOf(flags)
  const own = faults.read(definitions, given)
  const ci = faults.read(ciFlags, given)
  const options = { ...own, ...ci }
  faults.check(options, rules)
  const { junit, markdown } = ci
  const taken = faults.attempt(() => stdoutFlag({ '--junit': junit, '--markdown': markdown }, own.json === true))
  faults.refuse(command)
  return { options, taken }
}

interface CiTargets {
  junit?: string | undefined
  markdown?: string | undefined
  inconclusive?: Inconclusive | undefined
}

/** Called before anything else, because a file that cannot be written would be found out too late. */
export function assertCiWritable({ junit, markdown }: CiTargets): void {
  if (junit !== undefined) assertWritable(junit, '--junit')
  if (markdown !== undefined) assertWritable(markdown, '--markdown')
}

export interface CiResult {
  /** 'kt bench', 'kt slo check'. */
  name: string
  /** Null when nothing was judged. */
  gate: Gate | null
  /** Shown beside the checks: files, mode, category. */
  properties: Record<string, string>
  /** When it was measured. */
  timestamp: string
  markdown: () => string
}

/** Annotations go to `stderr`, so that the output of --json stays JSON. GitHub reads both streams. */
export async function publish(
  { junit, markdown, inconclusive = 'fail' }: CiTargets,
  { name, gate, properties, timestamp, markdown: text }: CiResult,
  env: NodeJS.ProcessEnv = process.env,
  stderr: (text: string) => void = (line) => process.stderr.write(line),
): Promise<void> {
  const judged = gate ?? { verdict: 'pass', checks: [] }
  const summary = printableLines(text())
  if (env.GITHUB_STEP_SUMMARY) appendSummary(env.GITHUB_STEP_SUMMARY, summary, stderr)
  if (env.GITHUB_ACTIONS === 'true') for (const line of renderAnnotations(name, judged)) stderr(`${line}\n`)
  const xml = () => renderJunit({ name, gate: judged, inconclusive, properties, timestamp })
  await writeEach([
    ...(junit === undefined ? [] : [() => writeOutput(junit, xml(), '--junit')]),
    ...(markdown === undefined ? [] : [() => writeOutput(markdown, summary, '--markdown')]),
  ])
}

/** A summary that cannot be written is noted, because the verdict must not be lost for it. */
function appendSummary(path: string, text: string, stderr: (text: string) => void): void {
  try {
    appendFileSync(path, `${text}\n`)
  } catch {
    stderr(`${printable(`kt: could not append to the job summary ${path}`)}\n`)
  }
}

/** GitHub workflow commands, one for each check that did not pass. GitHub shows them at the top of the run. */
export function renderAnnotations(title: string, gate: Gate): string[] {
  return gate.checks.flatMap((check) => {
    const command = { pass: undefined, fail: 'error', inconclusive: 'warning' }[check.verdict]
    if (command === undefined) return []
    const text = `${verdictWord(check.verdict)}  ${checkSentence(check)}`
    return [`::${command} title=${property(title)}::${data(text)}`]
  })
}

function data(text: string): string {
  return printable(text).replaceAll('%', '%25')
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
