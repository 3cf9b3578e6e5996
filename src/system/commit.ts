/**
 * The commit that is measured: of the CI job, by its environment, else of the checkout that kt is started in. A report
 * keeps it, so that a history can say which change moved a figure.
 */
import { spawnSync } from 'node:child_process'

export interface Commit {
  sha: string
  branch?: string
  /** Files of the checkout differ from the commit. */
  dirty?: true
  from: CommitSource
}

/** Names of the variables: a commit, and its branch; of pull requests first the branch that is to be merged. */
const CI = {
  github: ['GITHUB_SHA', ['GITHUB_HEAD_REF', 'GITHUB_REF_NAME']],
  gitlab: ['CI_COMMIT_SHA', ['CI_MERGE_REQUEST_SOURCE_BRANCH_NAME', 'CI_COMMIT_REF_NAME']],
  azure: ['BUILD_SOURCEVERSION', ['BUILD_SOURCEBRANCHNAME']],
  bitbucket: ['BITBUCKET_COMMIT', ['BITBUCKET_BRANCH']],
  buildkite: ['BUILDKITE_COMMIT', ['BUILDKITE_BRANCH']],
  circleci: ['CIRCLE_SHA1', ['CIRCLE_BRANCH']],
  jenkins: ['GIT_COMMIT', ['CHANGE_BRANCH', 'BRANCH_NAME']],
} as const satisfies Record<string, readonly [string, readonly string[]]>

type CommitSource = keyof typeof CI | 'git'

const SHA = /^[0-9a-f]{7,64}$/
const GIT_MS = 2_000

export function findCommit(env: NodeJS.ProcessEnv = process.env, folder: string = process.cwd()): Commit | undefined {
  return commitOfCi(env) ?? commitOfCheckout(folder)
}

function commitOfCi(env: NodeJS.ProcessEnv): Commit | undefined {
  for (const from of Object.keys(CI) as (keyof typeof CI)[]) {
    const [shaName, branchNames] = CI[from]
    const sha = env[shaName]
    const branch = branchNames.map((name) => env[name]).find((name) => name)
    if (sha !== undefined && SHA.test(sha)) return { sha, ...(branch ? { branch } : {}), from }
  }
  return undefined
}

/** Undefined where there is no git, no checkout, or no commit yet. */
function commitOfCheckout(folder: string): Commit | undefined {
  const { status, stdout } = spawnSync('git', ['status', '--porcelain=v2', '--branch', '--untracked-files=no'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: GIT_MS,
    // It must neither ask anybody nor write its index beside a run.
    env: { ...process.env, GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0' },
  })
  if (status !== 0) return undefined
  const lines = stdout.split('\n').filter((line) => line !== '')
  const header = (name: string): string | undefined =>
    lines.find((line) => line.startsWith(`# branch.${name} `))?.slice(`# branch.${name} `.length)
  const [sha = '', branch] = [header('oid'), header('head')]
  if (!SHA.test(sha)) return undefined
  const isDirty = lines.some((line) => !line.startsWith('#'))
  return {
    sha,
    ...(branch === undefined || branch === '(detached)' ? {} : { branch }),
    ...(isDirty ? { dirty: true } : {}),
    from: 'git',
  }
}
