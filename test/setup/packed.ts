/** kt as a user gets it: the tarball of `npm pack`, from the dist that is there, installed into a folder of its own. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

const packedSchema = z.object({
  filename: z.string(),
  size: z.number(),
  unpackedSize: z.number(),
  files: z.array(z.object({ path: z.string() })),
})

export interface PackedKt {
  /** Paths in the tarball. */
  files: string[]
  sizeBytes: number
  unpackedBytes: number
  /** The folder with node_modules/kt-bench. */
  folder: string
  /** Runs `kt` by its bin link on the given Node, as a shell would: that Node first on the PATH. */
  kt(node: string, ...args: string[]): Promise<{ stdout: string; stderr: string }>
  remove(): Promise<void>
}

/** Packs and installs; the caller removes it. */
export async function packAndInstall(): Promise<PackedKt> {
  const folder = await mkdtemp(join(tmpdir(), 'kt-packed-'))
  await run(process.execPath, [join(root, 'test', 'setup', 'trim-package.js')])
  const pack = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], { cwd: root })
  // A list in older versions of npm, a record by package name in newer ones.
  const [packed] = z
    .union([
      z.array(packedSchema),
      z.record(z.string(), packedSchema).transform(Object.values<z.infer<typeof packedSchema>>),
    ])
    .parse(JSON.parse(pack.stdout))
  if (!packed) throw new Error('npm pack names no package')
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, dependencies: { 'kt-bench': `file:${packed.filename}` } }),
  )
  await run('npm', ['install', '--omit=optional', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'], {
    cwd: folder,
  })
  return {
    files: packed.files.map(({ path }) => path).sort(),
    sizeBytes: packed.size,
    unpackedBytes: packed.unpackedSize,
    folder,
    kt: (node, ...args) =>
      run(join(folder, 'node_modules', '.bin', 'kt'), args, {
        cwd: folder,
        env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` },
      }),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
