/**
 * The entry of a process that holds a NATS broker of this machine (`--fleet local:3`): it says where the broker
 * listens, and ends it, and what it kept, when the process that started it asks for that or is gone.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { untilAskedToStop } from '../system/serve.ts'

const LOOK_EVERY_MS = 20
const START_WITHIN_MS = 10_000

const [program = ''] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'kt-broker-'))
const asked = untilAskedToStop()
const where = ['--addr', '127.0.0.1', '--port', '-1', '--ports_file_dir', folder]
const broker = spawn(program, [...where, '--jetstream', '--store_dir', join(folder, 'kept')], { stdio: 'ignore' })
const ended = new Promise<void>((resolve) => {
  broker.once('error', () => resolve())
  broker.once('exit', () => resolve())
})
process.send?.({ url: await Promise.race([address(), ended.then(() => null)]) })
await Promise.race([asked, ended])
broker.kill('SIGTERM')
await ended
rmSync(folder, { recursive: true, force: true })

/** The broker writes the port that it got into a file. */
async function address(): Promise<string | null> {
  const untilMs = performance.now() + START_WITHIN_MS
  while (performance.now() < untilMs) {
    const file = readdirSync(folder).find((name) => name.endsWith('.ports'))
    const [, url] = (file && /"(nats:[^"]+)"/.exec(readFileSync(join(folder, file), 'utf8'))) || []
    if (url !== undefined) return url
    await sleep(LOOK_EVERY_MS)
  }
  return null
}
