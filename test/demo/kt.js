/** For the demos: servers of kt as child processes, benches whose verdict is a result, figures in columns. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** Verdicts and their exit codes are results; anything else is a failure of the demo. */
const RESULTS = [0, 3, 4]
const folder = mkdtempSync(join(tmpdir(), 'kt-demo-'))
const running = []

/** Starts `kt <args>` on a free port and resolves to its URL. */
export async function start(...args) {
  process.stdout.write(`$ kt ${args.join(' ')}\n`)
  const child = spawn(process.execPath, ['bin/run.js', ...args, '--next-free-port', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running.push(child)
  const listening = once(createInterface({ input: child.stdout }), 'line')
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`kt ${args[0]} ended with ${code}`)))
  ended.catch(() => {})
  const [line] = await Promise.race([listening, ended])
  return JSON.parse(line).url
}

/** Runs `kt bench <args>`: its exit code, its verdicts as printed, its report with its first arm and its baseline. */
export function bench(...args) {
  process.stdout.write(`$ kt bench ${args.join(' ')}\n`)
  const output = join(folder, 'report.json')
  const { status, stdout } = spawnSync(process.execPath, ['bin/run.js', 'bench', ...args, '--output', output], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  })
  if (!RESULTS.includes(status)) throw new Error(`kt bench ended with ${status}\n${stdout}`)
  const verdicts = stdout.slice(stdout.search(/^(?:PASS|FAIL|INCONCLUSIVE) {2}/m)).trimEnd()
  const { arms, ...shared } = JSON.parse(readFileSync(output, 'utf8'))
  const baseline = arms.find((arm) => arm.baseline)
  return { status, verdicts, report: { ...shared, ...arms[0], baseline } }
}

/** Runs the demo, says on what and when, and ends every server that it started. */
export async function demo(run) {
  try {
    await run()
    process.stdout.write(`\n${cpus()[0]?.model}, ${cpus().length} cores, ${new Date().toISOString().slice(0, 10)}\n`)
  } catch (error) {
    process.exitCode = 1
    process.stderr.write(`demo: ${error.message}\n`)
  } finally {
    for (const child of running.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
    rmSync(folder, { recursive: true, force: true })
  }
}

/** One column a result: `rows` are names and what to read of each. */
export function sideBySide(rows, results) {
  return rows
    .map(([name, of]) => name.padEnd(24) + results.map((r) => String(of(r)).padStart(17)).join(''))
    .map((line) => `${line.trimEnd()}\n`)
    .join('')
}

export const ms = (value) => (value === null || value === undefined ? 'inf' : value.toFixed(2))
export const interval = ([low, high]) => (high === null ? `[${ms(low)}, inf)` : `[${ms(low)}, ${ms(high)}]`)
export const readingOf = ({ overhead }, definition) => overhead.find((entry) => entry.definition === definition)
