/** A folder for the files of a test. Whoever makes it removes it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TempDir {
  path: string
  /** The path of a file in it, be it there or not. */
  file(name: string): string
  /** Writes a file, what is no text as JSON, and returns its path. */
  write(name: string, content: unknown): string
  remove(): void
}

export function tempDir(): TempDir {
  const path = mkdtempSync(join(tmpdir(), 'kt-test-'))
  const file = (name: string): string => join(path, name)
  return {
    path,
    file,
    write: (name, content) => {
      writeFileSync(file(name), typeof content === 'string' ? content : JSON.stringify(content))
      return file(name)
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}
