// Which commit is measured: that of the CI job, else that of the checkout.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { findCommit } from '../../src/system/commit.ts'
import { root } from '../support/pages.ts'
import { tempDir } from '../support/temp-dir.ts'

const SHA = '0123456789abcdef0123456789abcdef01234567'
const dir = tempDir()
afterAll(() => dir.remove())

const author = ['-c', 'user.name=test', '-c', 'user.email=test@example.org']

function git(...args: string[]): string {
  return execFileSync('git', [...author, ...args], { cwd: dir.path, encoding: 'utf8' }).trim()
}

test.each([
  [
    { GITHUB_SHA: SHA, GITHUB_HEAD_REF: '', GITHUB_REF_NAME: 'main' },
    { sha: SHA, branch: 'main', from: 'github' },
  ],
  [
    { GITHUB_SHA: SHA, GITHUB_HEAD_REF: 'fix', GITHUB_REF_NAME: '7/merge' },
    { sha: SHA, branch: 'fix', from: 'github' },
  ],
  [
    { CI_COMMIT_SHA: SHA, CI_COMMIT_REF_NAME: 'main' },
    { sha: SHA, branch: 'main', from: 'gitlab' },
  ],
  [{ GIT_COMMIT: SHA }, { sha: SHA, from: 'jenkins' }],
])('of a CI job: %j', (env, commit) => {
  expect(findCommit(env, dir.path)).toEqual(commit)
})

test('what is no commit id is none', () => {
  expect(findCommit({ GITHUB_SHA: '$(whoami)' }, dir.path)).toBeUndefined()
})

describe('of a checkout', () => {
  test('none without a repository, and none before the first commit', () => {
    expect(findCommit({}, dir.path)).toBeUndefined()
    git('init', '--quiet', '--initial-branch', 'trunk')
    expect(findCommit({}, dir.path)).toBeUndefined()
  })

  test('its id and branch, and whether files differ from it', () => {
    dir.write('a.txt', 'a')
    git('add', '--all')
    git('commit', '--quiet', '--message', 'a')
    const sha = git('rev-parse', 'HEAD')
    expect(findCommit({}, dir.path)).toEqual({ sha, branch: 'trunk', from: 'git' })
    dir.write('a.txt', 'b')
    expect(findCommit({}, dir.path)).toEqual({ sha, branch: 'trunk', dirty: true, from: 'git' })
    git('checkout', '--quiet', '--', 'a.txt')
    git('checkout', '--quiet', '--detach')
    expect(findCommit({}, dir.path)).toEqual({ sha, from: 'git' })
  })
})

test('docs/environment.md names every variable', () => {
  const source = readFileSync(`${root}/src/system/commit.ts`, 'utf8')
  const names = [...source.matchAll(/'([A-Z]\w*_[A-Z0-9_]+)'/g)].map(([, name = '']) => name)
  expect(names.length).toBeGreaterThan(10)
  const page = readFileSync(`${root}/docs/environment.md`, 'utf8')
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
})
