/** The report of a run in the file of `--output`, and who has stdout when a file is stdout. */
import { UserError } from '../errors.ts'
import { isStdout, writeOutput } from './write.ts'

function jsonText(report: unknown): string {
  return `${JSON.stringify(report, null, 2)}\n`
}

/**
 * Writes `reports` by their paths. A disk may be full by now: that must not cost the user what was measured, so it is
 * noted and returned. Stdout is left to the command, which prints when all is closed.
 */
export async function writeReports(
  reports: Readonly<Record<string, unknown>>,
  note: (line: string) => void,
): Promise<UserError | undefined> {
  try {
    for (const [path, report] of Object.entries(reports)) if (!isStdout(path)) await writeOutput(path, jsonText(report))
    return undefined
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    note(`kt: ${error.message}. What was measured stands in the output alone.`)
    return error
  }
}

/** The flag whose file is stdout, if any. Two things on it could not be told apart, so they are refused. */
export function stdoutFlag(files: Readonly<Record<string, string | undefined>>, json: boolean): string | undefined {
  const takers = Object.entries(files).flatMap(([flag, path]) =>
    path !== undefined && isStdout(path, flag) ? [flag] : [],
  )
  // --json and --output are the same report: it is printed once.
  const rivals = json ? ['--json', ...takers.filter((flag) => flag !== '--output')] : takers
  if (rivals.length > 1) {
    throw new UserError(
      `${rivals.slice(0, 2).join(' and ')} both write to stdout`,
      'Leave one of them out, or give it a file.',
    )
  }
  return takers[0]
}
