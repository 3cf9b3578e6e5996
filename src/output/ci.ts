/**
 * Leaves a verdict where CI looks for it: JUnit and Markdown files, the job summary of GitHub Actions, its annotations. The same for
 * every command that judges.
 */
import { appendFileSync } from 'node:fs'
import { Flags } from '@oclif/core'
import type { Inconclusive } from '../errors.ts'
import type { Gate } from '../report/schema.ts'
import { assertWritable, writeOutput } from '../report/write.ts'
import { checkSentence, verdictWord } from './check-line.ts'
import { renderJunit } from './junit.ts'

/** The flags of every command that leaves a verdict for CI. What is done with them: src/output/ci.ts. */

export const ciFlags = {
  inconclusive: Flags.option({
    description: 'fail: exit 4 when the data cannot tell (default); warn: exit 0',
    options: ['fail', 'warn'] as const,
    helpGroup: 'CI',
  })(),
  junit: Flags.string({ description: "write the verdicts as JUnit XML to this file; '-': stdout", helpGroup: 'CI' }),
  markdown: Flags.string({
    description:
      "write verdicts and figures as Markdown to this file ('-': stdout); $GITHUB_STEP_SUMMARY gets them too",
    helpGroup: 'CI',
  }),
}

export interface CiTargets {
  junit?: string | undefined
  markdown?: string | undefined
  inconclusive?: Inconclusive | undefined
}

/** Before anything else, since a verdict that cannot be left is found out too late. */
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

/** `stderr`: annotations go there, so that --json stays JSON; GitHub reads both. */
export async function publish(
  { junit, markdown, inconclusive = 'fail' }: CiTargets,
  { name, gate, properties, timestamp, markdown: text }: CiResult,
  env: NodeJS.ProcessEnv = process.env,
  stderr: (text: string) => void = (line) => process.stderr.write(line),
): Promise<void> {
  const judged = gate ?? { verdict: 'pass', checks: [] }
  if (junit !== undefined) {
    await writeOutput(junit, renderJunit({ name, gate: judged, inconclusive, properties, timestamp }), '--junit')
  }
  if (markdown !== undefined) await writeOutput(markdown, text(), '--markdown')
  if (env.GITHUB_STEP_SUMMARY) appendSummary(env.GITHUB_STEP_SUMMARY, text(), stderr)
  if (env.GITHUB_ACTIONS === 'true') for (const line of renderAnnotations(name, judged)) stderr(`${line}\n`)
}

/** A summary that cannot be written is a pity and no reason to lose the verdict. */
function appendSummary(path: string, text: string, stderr: (text: string) => void): void {
  try {
    appendFileSync(path, `${text}\n`)
  } catch {
    stderr(`kt: could not append to the job summary ${path}\n`)
  }
}

/** Verdicts as GitHub workflow commands: a line a check that did not pass, shown at the head of the run. Strings out. */

export function renderAnnotations(title: string, gate: Gate): string[] {
  return gate.checks.flatMap((check) => {
    if (check.verdict === 'pass') return []
    const command = check.verdict === 'fail' ? 'error' : 'warning'
    const text = `${verdictWord(check.verdict)}  ${checkSentence(check)}`
    return [`::${command} title=${property(title)}::${data(text)}`]
  })
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
