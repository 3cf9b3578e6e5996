/** Writes the report of a run to the file of `--output`, and decides who has stdout when an output file is stdout. */
import { UserError } from '../errors.ts'
import { printableJson } from '../system/printable.ts'
import { isStdout, writeOutput } from './write-output.ts'

function jsonText(report: unknown): string {
  return `${printableJson(report, 2)}\n`
}

/**
 * Writes `reports` by their paths. The disk may be full after the run. That must not cost the user what was measured,
 * so the failure is noted and returned. Stdout is left to the command, which prints after everything is closed.
 */
export async function writeReports(
  reports: Readonly<Record<string, unknown>>,
  note: (line: string, isError: true) => void,
): Promise<UserError | undefined> {
  try {
    for (const [path, report] of Object.entries(reports)) if (!isStdout(path)) await writeOutput(path, jsonText(report))
    return undefined
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    note(`kt: ${error.message}. The result is only in the output of this command.`, true)
    return error
  }
}

/**
 * The flag whose file is stdout, if any. Two results on stdout could not be separated, so the combination is refused.
 */
export function stdoutFlag(files: Readonly<Record<string, string | undefined>>, json: boolean): string | undefined {
  const takers = Object.entries(files).flatMap(([flag, path]) =>
    path !== undefined && isStdout(path, flag) ? [flag] : [],
  )
  // --json and --output are the same report, which is printed once.
  const rivals = json ? ['--json', ...takers.filter((flag) => flag !== '--output')] : takers
  if (rivals.length > 1) {
    throw new UserError(
      `${rivals.slice(0, 2).join(' and ')} both write to stdout`,
      'Leave one of them out, or give it a file.',
    )
  }
  return takers[0]
}
