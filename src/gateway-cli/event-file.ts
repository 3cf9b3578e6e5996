/** Reads the gateway's event file with the rotated ones before it, the oldest line first. */
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { UserError } from '../errors.ts'
import { systemReason } from '../parse/file.ts'

/** The lines of `path` and of what it was rotated to; a rotated file that was last written before `since` is left out. */
export async function* eventFileLines(path: string, since: string): AsyncGenerator<string> {
  const rotated: string[] = []
  for (let n = 1; existsSync(`${path}.${n}`); n++) rotated.unshift(`${path}.${n}`)
  const wanted = rotated.filter((file) => statSync(file).mtime.toISOString() >= since)
  try {
    for (const file of [...wanted, path]) yield* createInterface({ input: createReadStream(file), crlfDelay: Infinity })
  } catch (error) {
    throw new UserError(
      `cannot read the event file ${path}: ${systemReason(error)}`,
      'Check the path and its permissions.',
    )
  }
}
