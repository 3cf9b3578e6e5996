// up and down of examples/gateways/: node test/setup/gateway.ts up NAME http://127.0.0.1:41001, down NAME. What runs is
// written down in .cache/gateways/NAME, with the time at which its process began: a process of the same number that
// began at another time is somebody else's, and is left alone.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { gatewayNames, startGateway } from './gateways.ts'
import { run } from './peers/folders.ts'

const runningSchema = z.object({ pid: z.int(), began: z.string(), url: z.string() })
type Running = z.infer<typeof runningSchema>

const [verb = '', name = '', upstream = 'http://127.0.0.1:41001'] = process.argv.slice(2)
const folder = fileURLToPath(new URL(`../../.cache/gateways/${name}`, import.meta.url))
const file = join(folder, 'running.json')

async function beganAt(pid: number): Promise<string> {
  const { stdout } = await run('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => ({ stdout: '' }))
  return stdout.trim()
}

/** Undefined where nothing runs, or what once ran has ended. */
async function readRunning(): Promise<Running | undefined> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
  const running = runningSchema.parse(JSON.parse(text))
  return (await beganAt(running.pid)) === running.began ? running : undefined
}

function refuse(words: string): never {
  process.stderr.write(`${words}\n`)
  process.exit(2)
}

async function up(): Promise<void> {
  const running = await readRunning()
  if (running) refuse(`${name} runs already, at ${running.url}: ./down ends it`)
  const { url, pid, headers, version, detach } = await startGateway(name, upstream, { folder })
  writeFileSync(file, JSON.stringify({ pid, began: await beganAt(pid), url }))
  detach()
  const flags = Object.entries(headers).map(([key, value]) => ` --header '${key}: ${value}'`)
  process.stderr.write(`${name} ${version}, process ${pid}; kt bench --url ${url}${flags.join('')}\n`)
  process.stdout.write(`${url}\n`)
}

async function down(): Promise<void> {
  const running = await readRunning()
  if (!running) refuse(`${name} was not started here, or has ended`)
  process.kill(-running.pid, 'SIGTERM')
  for (let waitedMs = 0; (await beganAt(running.pid)) === running.began; waitedMs += 100) {
    if (waitedMs === 5_000) process.kill(-running.pid, 'SIGKILL')
    await sleep(100)
  }
  rmSync(folder, { recursive: true, force: true })
}

if (!gatewayNames().includes(name)) refuse(`no gateway ${name} can be started: there are ${gatewayNames().join(', ')}`)
try {
  await (verb === 'up' ? up() : verb === 'down' ? down() : refuse('up or down?'))
} catch (error) {
  refuse(error instanceof Error ? error.message : String(error))
}
