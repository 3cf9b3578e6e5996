/**
 * Runs the commands of a slice as they stand, with the addresses replaced by a provider and two gateways started here,
 * the minute of the open loop shortened, and runs of the embedded pair that name no length kept to 100 requests. The
 * examples of --help run with the files that they name, and with shorter sweeps. Servers are processes of their own;
 * what ends by itself runs in this one.
 */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { EXIT } from '../../../src/errors.ts'
import { type Broker, brokerProgram, startBroker } from '../../support/broker.ts'
import { type KtProcess, kt, startKt } from '../../support/kt.ts'
import { makeNamedFiles } from '../../support/named-files.ts'
import { HELP, root, wordsOf } from '../../support/pages.ts'
import { run } from '../../support/run-command.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { documentsOf, type Slice } from './slices.ts'

const CONFIG = 'gateway: { cache: { enabled: true } }\n'
/** Flags that make the verdict the exit code: which one is for the machine to say. */
const GATES = ['--budget', '--budget-file', '--max-regression', '--until-decided', '--threshold', '--slo']
const VERDICTS: readonly number[] = [EXIT.passed, EXIT.breached, EXIT.inconclusive]
/** What bin/run.js answers itself or hands to a plugin, and what starts more processes of kt than its servers. */
const PROCESSES = ['help', 'version', 'autocomplete', '--help', '--fleet']
const SIZED = ['compare', 'history', 'sweep', '--url', '--duration', '--stages', '--requests', '--sessions', '-n']

const started: KtProcess[] = []
export const urls = { provider: '', gateway: '', other: '', admin: '', broker: '' }
let broker: Broker | undefined
const home = tempDir()

async function listen(...args: string[]): Promise<{ url: string; adminUrl?: string | undefined }> {
  const server = startKt([...args, '--port', '0', '--json'], {}, home.path)
  started.push(server)
  if (!server.child.stdout) throw new Error('a server without output')
  const [line] = await once(createInterface({ input: server.child.stdout }), 'line')
  return z.object({ url: z.string(), adminUrl: z.string().optional() }).parse(JSON.parse(String(line)))
}

async function startServers(): Promise<void> {
  writeFileSync(home.file('gateway.yaml'), CONFIG)
  const provider = await listen('provider', 'start', '--ttft', 'lognormal(20ms,0.3)')
  const config = ['--config', home.file('gateway.yaml'), '--upstream', `${provider.url}/v1`, '--admin-port', '0']
  const gateway = await listen('gateway', 'start', ...config)
  const other = await listen('gateway', 'start', '--upstream', `${provider.url}/v1`, '--admin-port', '0')
  broker = await startBroker()
  Object.assign(urls, { provider: provider.url, gateway: gateway.url, other: other.url })
  Object.assign(urls, { admin: gateway.adminUrl, broker: broker.address })
  // An event in the gateway's memory.
  await fetch(`${urls.gateway}/v1/models`).then((answer) => answer.text())
}

async function stopServers(): Promise<void> {
  for (const { child, ended } of started.toReversed()) {
    child.kill('SIGTERM')
    await ended
  }
  await broker?.close()
  home.remove()
}

function here(word: string): string {
  return word
    .replace('https://api.openai.com', urls.provider)
    .replace(/(?<=^|=)http:\/\/(?:localhost|127\.0\.0\.1):41002/, urls.gateway)
    .replace(/(?<=^|=)http:\/\/(?:localhost|127\.0\.0\.1):41003/, urls.other)
    .replace(/(?<=^|=)http:\/\/(?:localhost|127\.0\.0\.1):41001/, urls.provider)
    .replace('nats://127.0.0.1:4222', urls.broker)
    .replace('$OPENAI_API_KEY', 'a-test-key')
    .replace(/^60s$/, '2s')
    .replace(/^(?=(?:reference-gateway|profiles|fixtures)\/)/, root)
}

/** A server of the pages: it listens, and stops in order. */
async function startsAndStops(args: string[], cwd: string): Promise<void> {
  // Nor the admin port of the config, which another gateway on this machine may hold.
  const ports = [
    ...(args.includes('--port') ? [] : ['--port', '0']),
    ...(args[0] === 'gateway' ? ['--admin-port', '0'] : []),
  ]
  const server = startKt([...args, ...ports], {}, cwd)
  await server.saidOnStdout(/https?:\/\/127\.0\.0\.1:\d+/)
  server.child.kill('SIGTERM')
  expect((await server.ended).code).toBe(0)
}

/** A worker waits for work, and stops in order. */
async function waitsAndStops(args: string[], cwd: string): Promise<void> {
  const worker = startKt(args, {}, cwd)
  await worker.saidOnStdout(/ waits at nats:/)
  worker.child.kill('SIGTERM')
  expect((await worker.ended).code).toBe(0)
}

/** Follows the gateway until a request of somebody's shows up. */
async function showsAnEvent(args: string[], cwd: string): Promise<void> {
  const tail = startKt([...args, '--count', '1', '--admin', urls.admin], {}, cwd)
  let over = false
  void tail.ended.then(() => {
    over = true
  })
  while (!over) {
    await fetch(`${urls.gateway}/v1/models`).then((answer) => answer.text())
    await sleep(100)
  }
  const { code, stdout } = await tail.ended
  expect(code).toBe(0)
  expect(stdout.trim()).not.toBe('')
}

async function runs(args: string[], cwd: string): Promise<void> {
  const embedded = args[0] === 'bench' && !args.some((word) => SIZED.includes(word))
  const asksGateway = args[0] === 'cache' || args[0] === 'events'
  const extra = [...(embedded ? ['--requests', '100'] : []), ...(asksGateway ? ['--admin', urls.admin] : [])]
  const start = args.some((word) => PROCESSES.includes(word)) ? kt : run
  // No time of theirs is looked at.
  const env = { KT_NATS_SERVER: brokerProgram, KT_JIT_WARMUP: 'no' }
  const { code, stdout, stderr } = await start([...args, ...extra], env, cwd)
  const judges =
    args[1] === 'compare' || (args[0] === 'plan' && args[1] === 'check') || args.some((word) => GATES.includes(word))
  const allowed = judges ? VERDICTS : [EXIT.passed]
  expect(allowed, stderr).toContain(code)
  expect(stdout.length + stderr.length).toBeGreaterThan(0)
  expect(stdout + stderr).not.toMatch(/\bundefined\b|\bNaN\b|\[object /)
}

async function runsAsShown(command: string, cwd: string): Promise<void> {
  const [program, ...args] = wordsOf(command).map(here)
  expect(program).toBe('kt')
  if (args[1] === 'start' || args[1] === 'record') await startsAndStops(args, cwd)
  else if (args[1] === 'worker') await waitsAndStops(args, cwd)
  else if (args[1] === 'tail') await showsAnEvent(args, cwd)
  else await runs(args, cwd)
}

/** Levels of a sweep are short, and two where it names none. What follows a pipe is another program's. */
function shortened(example: string): string {
  const [shown = ''] = example.split(' | ')
  if (!shown.startsWith('kt bench sweep')) return shown
  const levels = /--rps|--concurrency/.test(shown) ? '' : ' --concurrency 1,8'
  const search = shown.includes('--until') ? ' --search-time 5s' : ''
  return `${shown.replace(/ --step \S+/, '')} --step 300ms${levels}${search}`
}

/** Declares the tests of a slice: one for each command of its documents, in the order of each document. */
export function runSlice(slice: Slice): void {
  beforeAll(startServers)
  afterAll(stopServers)

  describe.each([...documentsOf(slice)])('%s', (document, commands) => {
    const dir = tempDir()
    if (document === HELP) beforeAll(() => makeNamedFiles(dir))
    afterAll(() => dir.remove())

    test.each(commands)('%s', (command) => runsAsShown(document === HELP ? shortened(command) : command, dir.path))
  })
}
