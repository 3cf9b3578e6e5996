/**
 * The folders that programs of the tests and benches are installed into: .cache/<name>, or the same under the folder
 * that KT_TEST_CACHE names; with KT_TEST_OFFLINE nothing is fetched. Safe when two ask at the same time: each installs
 * aside, the first one to finish is kept.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const run = promisify(execFile)

/** Fills the folder `name` unless it is there, and returns its path. */
export async function fillOnce(name: string, fill: (aside: string) => Promise<unknown>): Promise<string> {
  const cache = process.env.KT_TEST_CACHE ?? fileURLToPath(new URL('../../../.cache', import.meta.url))
  const folder = join(cache, name)
  // The folder appears whole, by the rename: its presence is the mark that the installation came to its end.
  if (existsSync(folder)) return folder
  if (process.env.KT_TEST_OFFLINE) throw new Error(`there is no ${folder}, and KT_TEST_OFFLINE lets nothing be fetched`)
  await mkdir(cache, { recursive: true })
  const aside = await mkdtemp(join(cache, `${name}-installing-`))
  try {
    await fill(aside)
    await rename(aside, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
  return folder
}
