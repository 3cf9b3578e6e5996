// The installer without a network: a folder appears whole or not at all, what cannot be had says why in one line, and
// what is fetched is pinned and held against hashes.
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type TempDir, tempDir } from '../../support/temp-dir.ts'
import { findPeer, needPeer, reasonOf } from './find.ts'
import { fillOnce, run } from './folders.ts'

const locks = fileURLToPath(new URL('locks', import.meta.url))
const before = { ...process.env }
let dir: TempDir

beforeEach(() => {
  dir = tempDir()
  process.env.KT_TEST_CACHE = dir.file('cache')
})
afterEach(() => {
  process.env = { ...before }
  dir.remove()
})

describe('a folder', () => {
  const fill = (text: string) => (aside: string) => writeFile(join(aside, 'made'), text)

  test('is filled once, whoever asks how often, under the folder that the environment names', async () => {
    const folders = await Promise.all([fillOnce('a', fill('one')), fillOnce('a', fill('two'))])
    const again = await fillOnce('a', () => Promise.reject(new Error('filled again')))
    expect(new Set([...folders, again])).toEqual(new Set([join(dir.file('cache'), 'a')]))
    expect(readdirSync(dir.file('cache'))).toEqual(['a'])
    expect(readFileSync(join(again, 'made'), 'utf8')).toMatch(/^(?:one|two)$/)
  })

  test('whose filling fails is not there, so that the next one tries again', async () => {
    await expect(fillOnce('a', () => Promise.reject(new Error('no network')))).rejects.toThrow('no network')
    expect(readdirSync(dir.file('cache'))).toEqual([])
    expect(existsSync(join(await fillOnce('a', fill('one')), 'made'))).toBe(true)
  })
})

describe('a program that cannot be had', () => {
  test('is not fetched where nothing may be', async () => {
    process.env.KT_TEST_OFFLINE = '1'
    const why = `there is no ${dir.file('cache')}/oha-1.16.0, and KT_TEST_OFFLINE lets nothing be fetched`
    expect(await findPeer('oha')).toEqual({ ok: false, why })
  })

  test.each([
    ['oha', 'cargo'],
    ['vegeta', 'go'],
    ['wrk', 'apt-get'],
    ['guidellm', 'python3'],
    ['portkey', 'npm'],
  ] as const)('%s names the client that is missing', async (name, client) => {
    process.env.PATH = dir.path
    expect(await findPeer(name)).toEqual({ ok: false, why: `there is no ${client} here` })
    await expect(needPeer(name)).rejects.toThrow(
      `${name} is missing, and could not be installed: there is no ${client}`,
    )
  })

  test('says the last that the client complained about, in one line', async () => {
    const failed = await run('sh', ['-c', 'echo first >&2; echo "error: refused" >&2; exit 1']).catch((error) => error)
    expect(reasonOf(failed)).toBe('error: refused')
  })
})

test('a program of the machine is used where there is one, in its own version', async () => {
  await writeFile(dir.file('nginx'), '#!/bin/sh\necho "nginx version: nginx/9.8.7" >&2\n', { mode: 0o755 })
  process.env.PATH = `${dir.path}:/usr/bin:/bin`
  expect(await findPeer('nginx')).toMatchObject({ ok: true, program: { command: 'nginx', version: '9.8.7' } })
})

describe('what is fetched is pinned, with hashes', () => {
  test('from PyPI', () => {
    const files = globSync('*.txt', { cwd: locks })
    expect(files.length).toBeGreaterThan(4)
    for (const file of files) {
      const packages = readFileSync(join(locks, file), 'utf8').replaceAll('\\\n', '').trim().split('\n')
      for (const line of packages) {
        expect(line).toMatch(/^[\w.-]+(?:\[[\w,-]+\])?==[\w.+]+ (?:;[^\\]+ )? *--hash=sha256:[0-9a-f]{64}/)
      }
    }
    expect(readFileSync(join(locks, 'litellm.txt'), 'utf8')).toMatch(/^litellm==1\.108\.7 /m)
  })

  test('from npm', () => {
    const text = readFileSync(join(locks, 'portkey', 'package-lock.json'), 'utf8')
    const { packages } = z
      .object({ packages: z.record(z.string(), z.object({ integrity: z.string().optional() })) })
      .parse(JSON.parse(text))
    const { '': root, ...fetched } = packages
    expect(root).toBeDefined()
    expect(Object.values(fetched).filter(({ integrity }) => !integrity?.startsWith('sha512-'))).toEqual([])
    // Which host serves a package is the machine's matter.
    expect(text).not.toContain('resolved')
  })
})

test('the command says what it does not know', () => {
  const script = fileURLToPath(new URL('install.js', import.meta.url))
  expect(() => execFileSync(process.execPath, [script, 'ab'], { stdio: 'pipe' })).toThrow('unknown: ab; there are oha,')
})
