// Every `sh` block of the public pages is run: the commands as they stand, with the addresses replaced by a
// provider and two gateways started here, the minute of the open loop shortened, and runs of the embedded pair that name
// no length kept to 100 requests. What needs a key, a build or minutes stands in a `console` block, which is not run.
// Every example of every --help is run likewise, with the files that it names, and with the levels of sweeps
// shortened.
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { EXIT } from '../../src/errors.ts'
import { OUTCOMES } from '../../src/wire/outcome.ts'
import { type Broker, brokerProgram, startBroker } from '../support/broker.ts'
import { type KtProcess, kt, startKt } from '../support/kt.ts'
import { makeNamedFiles } from '../support/named-files.ts'
import { blocksOf, commandsOf, helpExamples, PAGES, readPage, root, wordsOf } from '../support/pages.ts'
import { tempDir } from '../support/temp-dir.ts'

const CONFIG = 'gateway: { cache: { enabled: true } }\n'
/** Flags that make the verdict the exit code: which one is for the machine to say. */
const GATES = ['--budget', '--budget-file', '--max-regression', '--until-decided', '--threshold', '--slo']
const VERDICTS: readonly number[] = [EXIT.passed, EXIT.breached, EXIT.inconclusive]
const SIZED = ['compare', 'history', 'sweep', '--url', '--duration', '--stages', '--requests', '--sessions', '-n']

const started: KtProcess[] = []
const urls = { provider: '', gateway: '', other: '', admin: '', broker: '' }
let broker: Broker | undefined
const home = tempDir()
const pages = PAGES.filter((page) => commandsOf(readPage(page)).length > 0)

async function listen(...args: string[]): Promise<{ url: string; adminUrl?: string | undefined }> {
  const server = startKt([...args, '--port', '0', '--json'], {}, home.path)
  started.push(server)
  if (!server.child.stdout) throw new Error('a server without output')
  const [line] = await once(createInterface({ input: server.child.stdout }), 'line')
  return z.object({ url: z.string(), adminUrl: z.string().optional() }).parse(JSON.parse(String(line)))
}

beforeAll(async () => {
  writeFileSync(home.file('gateway.yaml'), CONFIG)
  const provider = await listen('provider', 'start', '--ttft', 'lognormal(20ms,0.3)')
  const config = ['--config', home.file('gateway.yaml'), '--upstream', `${provider.url}/v1`, '--admin-port', '0']
  const gateway = await listen('gateway', 'start', ...config)
  const other = await listen('gateway', 'start', '--upstream', `${provider.url}/v1`, '--admin-port', '0')
  broker = await startBroker()
  Object.assign(urls, { provider: provider.url, gateway: gateway.url, other: other.url })
  Object.assign(urls, { admin: gateway.adminUrl, broker: broker.address })
})

afterAll(async () => {
  for (const { child, ended } of started.toReversed()) {
    child.kill('SIGTERM')
    await ended
  }
  await broker?.close()
  home.remove()
})

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
  const { code, stdout, stderr } = await kt([...args, ...extra], { KT_NATS_SERVER: brokerProgram }, cwd)
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

describe.each(pages)('%s', (page) => {
  const dir = tempDir()
  afterAll(() => dir.remove())

  test.each(commandsOf(readPage(page)))('%s', (command) => runsAsShown(command, dir.path))
})

describe('the examples of --help', () => {
  const dir = tempDir()
  beforeAll(async () => {
    await makeNamedFiles(dir)
    // An event in the gateway's memory.
    await fetch(`${urls.gateway}/v1/models`).then((answer) => answer.text())
  })
  afterAll(() => dir.remove())

  test.each(helpExamples())('%s', async (command) => {
    // What follows a pipe is another program's.
    const [shown = ''] = command.split(' | ')
    const isSweep = shown.startsWith('kt bench sweep')
    await runsAsShown(isSweep ? `${shown.replace(/ --step \S+/, '')} --step 300ms` : shown, dir.path)
  })
})

test('the README has an example of each question', () => {
  const commands = commandsOf(readPage('README.md'))
  for (const name of ['kt bench', 'kt bench compare', 'kt plan']) {
    expect(commands.some((command) => command.startsWith(name))).toBe(true)
  }
})

test('the pages have examples of every command', () => {
  const commands = pages.flatMap((page) => commandsOf(readPage(page)))
  const names = ['bench sweep', 'bench history', 'slo check', 'plan', 'doctor', 'provider start', 'gateway start']
  const others = [
    'provider record',
    'provider fit',
    'gateway check',
    'cache stats',
    'cache clear',
    'events tail',
    'events stats',
    'capacity estimate',
  ]
  expect([...names, ...others].filter((name) => !commands.some((command) => command.startsWith(`kt ${name}`)))).toEqual(
    [],
  )
})

test('fifty requests cannot carry a verdict, as docs/benchmarking.md says', async () => {
  const dir = tempDir()
  const load = ['--requests', '50', '--concurrency', '5']
  for (const [name, url] of [
    ['baseline.json', urls.provider],
    ['gateway.json', urls.gateway],
  ] as const) {
    await kt(['bench', '--url', url, ...load, '--output', name], {}, dir.path)
  }
  const compare = ['bench', 'compare', 'baseline.json', 'gateway.json']
  const { code, stdout } = await kt(compare, {}, dir.path)
  const limited = await kt([...compare, '--budget', '7ms'], {}, dir.path)
  dir.remove()
  expect([code, limited.code]).toEqual([EXIT.passed, EXIT.inconclusive])
  // How many would decide it is told where more would help: not on a machine that is noisy now.
  expect(stdout).toMatch(/INCONCLUSIVE[\s\S]*too\s+few\s+requests\s+for\s+a\s+P99:\s+50\s+of\s+at\s+least\s+437/)
})

test('what docs/planning.md prints is what the plan prints: paste it again where it moved', async () => {
  const { stdout } = await kt(['plan', '--input-peak', '80M', '--output-peak', '10M', '--explain'])
  expect(blocksOf(readPage('docs/planning.md'), 'text')).toContain(stdout)
})

test('the README quotes the table of exit codes', () => {
  const quoted = [...readPage('README.md').matchAll(/^\| (\d+) \| /gm)].map((match) => Number(match[1]))
  expect(quoted).toEqual(Object.values(EXIT))
})

test('docs/outcomes.md lists every class of outcome, in its own words', () => {
  const listed = [...readPage('docs/outcomes.md').matchAll(/^\| `(KT_\w+|OK)` \| (.*?) \|/gm)].map((row) =>
    row.slice(1, 3),
  )
  expect(listed).toEqual(Object.entries(OUTCOMES).map(([code, { means }]) => [code, means]))
})
