/** Leaves a verdict where CI looks for it: JUnit and Markdown files, the job summary of GitHub Actions, its annotations. */
import { appendFileSync } from 'node:fs'
import { assertWritable, writeAtomically } from '../report/write.ts'

export interface CiTargets {
  junit?: string | undefined
  markdown?: string | undefined
}

/** Before anything else, since a verdict that cannot be left is found out too late. */
export function assertCiWritable({ junit, markdown }: CiTargets): void {
  if (junit !== undefined) assertWritable(junit, '--junit')
  if (markdown !== undefined) assertWritable(markdown, '--markdown')
}

export interface CiTexts {
  junit: () => string
  markdown: () => string
  annotations: () => string[]
}

/** `stderr`: annotations go there, so that --json stays JSON; GitHub reads both. */
export function publish(
  targets: CiTargets,
  texts: CiTexts,
  env: NodeJS.ProcessEnv = process.env,
  stderr: (text: string) => void = (text) => process.stderr.write(text),
): void {
  if (targets.junit !== undefined) writeAtomically(targets.junit, texts.junit(), '--junit')
  if (targets.markdown !== undefined) writeAtomically(targets.markdown, texts.markdown(), '--markdown')
  if (env.GITHUB_STEP_SUMMARY) appendSummary(env.GITHUB_STEP_SUMMARY, texts.markdown(), stderr)
  if (env.GITHUB_ACTIONS === 'true') for (const line of texts.annotations()) stderr(`${line}\n`)
}

/** A summary that cannot be written is a pity and no reason to lose the verdict. */
function appendSummary(path: string, text: string, stderr: (text: string) => void): void {
  try {
    appendFileSync(path, `${text}\n`)
  } catch {
    stderr(`kt: could not append to the job summary ${path}\n`)
  }
}
