// Makes `npm test` and `npm run demo` work from a fresh clone: installs what package-lock.json names when node_modules
// is missing or differs from it, and fetches the pinned Node binary when the installation left it out (npm
// --ignore-scripts). Runs on whatever Node the machine has, down to 20, before anything is installed: plain ESM, no
// dependencies.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

const outdated = whatIsOutdated()
if (outdated) {
  process.stdout.write(`installing: ${outdated} (npm ci)\n`)
  npm('ci')
}
const missing = whatIsWrongWithNode()
if (missing) {
  process.stdout.write(`fetching the pinned Node: ${missing} (npm rebuild node)\n`)
  npm('rebuild', 'node')
  const still = whatIsWrongWithNode()
  if (still) fail(`${still}, and npm rebuild node did not change that`)
}

/** Why node_modules is not what package-lock.json says, or undefined. */
function whatIsOutdated() {
  const wanted = readJson('package-lock.json')?.packages
  if (!wanted) fail('there is no readable package-lock.json')
  if (!existsSync(join(root, 'node_modules'))) return 'there is no node_modules'
  // npm writes this file last. What it lists is not proof: `npm install --package-lock-only` rewrites it and installs
  // nothing.
  if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) return 'an installation did not come to its end'
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.startsWith('node_modules/') || entry.link) continue
    const there = readJson(join(path, 'package.json'))
    // What is optional (binaries of other platforms) or only a peer may be left out; what is there must be the right
    // one.
    if (!there && (entry.optional || entry.devOptional || entry.peer)) continue
    if (!there) return `${path} is missing`
    if (there.version !== entry.version) return `${path} is ${there.version}, not ${entry.version}`
  }
  return undefined
}

function whatIsWrongWithNode() {
  const wanted = readJson('package-lock.json')?.packages?.['node_modules/node']?.version
  if (!wanted) return undefined
  const binary = join(root, 'node_modules', 'node', 'bin', 'node')
  if (!existsSync(binary)) return `${binary} is missing`
  try {
    const version = execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim()
    return version === `v${wanted}` ? undefined : `${binary} is ${version}, not v${wanted}`
  } catch {
    return `${binary} does not run`
  }
}

/** Runs npm on the machine's own Node: the one in node_modules is about to be replaced. */
function npm(...args) {
  const path = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes(`node_modules${sep}.bin`))
    .join(delimiter)
  const { status, error } = spawnSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PATH: path },
  })
  if (error) fail(`npm could not be started: ${error.message}`)
  if (status !== 0) fail(`npm ${args.join(' ')} failed`)
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8'))
  } catch {
    return undefined
  }
}

function fail(reason) {
  process.stderr.write(`installation failed: ${reason}\n`)
  process.exit(1)
}
