/** `kt gateway start` as a user runs it: the built command in a process of its own (npm test builds first). */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ask, atEnd, upstream } from '../reference-gateway/support/harness.ts'
import { answerJson } from '../reference-gateway/support/upstream.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/waits.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

interface Run {
  child: ChildProcess
  out: string
  err: string
  /** The exit code, once it has ended. */
  ended: Promise<number | null>
}

function gatewayStart(args: string[], ipc = false, environment: NodeJS.ProcessEnv = {}): Run {
  const child = spawn(process.execPath, ['bin/run.js', 'gateway', 'start', ...args], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ipc ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
  })
  // Without its channel, a child is never reported as closed, only as exited.
  const ended = once(child, ipc ? 'exit' : 'close').then(([code]) => code as number | null)
  const run: Run = { child, out: '', err: '', ended }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    run.out += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    run.err += text
  })
  atEnd(async () => {
    child.kill('SIGKILL')
    await run.ended
  })
  return run
}

describe('kt gateway start', () => {
  test('reads its config again at SIGHUP, keeps the old one if the new is wrong, and opens no debugger', async () => {
    const [old, fresh] = await Promise.all(
      ['old', 'fresh'].map((from) => upstream((_request, response) => answerJson(response, { from }))),
    )
    const dir = tempDir()
    onTestFinished(() => dir.remove())
    const file = dir.file('gateway.yaml')
    const write = (url: string | undefined, more = ''): string =>
      dir.write(
        'gateway.yaml',
        `gateway:\n  warmup: {enabled: false}\n  providers: [{name: p, base_url: "${url}"}]\n${more}`,
      )
    write(old?.url)
    const run = gatewayStart(['--port', '0', '--config', file])
    await until(() => run.out.endsWith('\n'))
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(run.out)?.[0]
    const from = async (): Promise<string> => JSON.parse((await ask(`${url}/v1/models`)).body.toString()).from
    expect(await from()).toBe('old')
    write(fresh?.url, '  nonsense: 1\n')
    run.child.kill('SIGHUP')
    await until(() => run.err.includes('the config stays as it was'))
    expect(await from()).toBe('old')
    write(fresh?.url)
    run.child.kill('SIGHUP')
    await until(() => run.err.includes('the config was read again'))
    expect(await from()).toBe('fresh')
    for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) run.child.kill(signal)
    expect(await from()).toBe('fresh')
    run.child.kill('SIGTERM')
    expect(await run.ended).toBe(0)
    expect(run.err).not.toContain('Debugger')
  })

  test('--host without keys serves other machines only where that is said', async () => {
    const run = gatewayStart(['--port', '0', '--host', '0.0.0.0', '--upstream', 'http://127.0.0.1:1/v1'])
    expect(await run.ended).toBe(2)
    expect(run.err).toContain('--open')
  })

  test('says where it listens, serves, and ends cleanly at SIGTERM with a request in flight', async () => {
    const provider = await upstream((request, response) => {
      setTimeout(() => answerJson(response, { data: [] }), request.headers['x-slow'] ? 300 : 0)
    })
    const run = gatewayStart(['--port', '0', '--admin-port', 'off', '--upstream', provider.url])
    await until(() => run.out.endsWith('\n'))
    const [, url] = /^kt gateway listening on (http:\/\/127\.0\.0\.1:\d+) -> (.*)\n$/.exec(run.out) ?? []
    expect(run.out).toContain(`-> ${provider.url}\n`)
    const answer = ask(`${url}/v1/models`, { headers: { 'x-slow': 'yes' } })
    await new Promise((resolve) => setTimeout(resolve, 100))
    run.child.kill('SIGTERM')
    expect((await answer).status).toBe(200)
    expect(await run.ended).toBe(0)
    expect(run.err).toBe('')
  })

  test('--workers: several processes serve, and all end together at SIGTERM', async () => {
    const provider = await upstream((_request, response) => answerJson(response, { data: [] }))
    const args = ['--port', '0', '--json', '--workers', '2', '--admin-port', '0', '--upstream', provider.url]
    const run = gatewayStart(args)
    await until(() => run.out.endsWith('\n'))
    const { url, adminUrl } = JSON.parse(run.out)
    expect((await ask(`${url}/v1/models`)).status).toBe(200)
    expect(JSON.parse((await ask(`${adminUrl}/stats`)).body.toString()).workers).toBe(2)
    run.child.kill('SIGTERM')
    expect(await run.ended).toBe(0)
    await until(() => provider.open === 0)
    expect(run.err).toBe('')
  })

  test('by default its admin port is where kt looks for it; where that is taken it says so, and serves', async () => {
    const provider = await upstream((_request, response) => answerJson(response, { data: [] }))
    const start = async (...args: string[]): Promise<Run & { url: string; adminUrl: string | undefined }> => {
      const run = gatewayStart(['--port', '0', '--json', '--upstream', provider.url, ...args])
      await until(() => run.out.endsWith('\n'))
      return Object.assign(run, JSON.parse(run.out))
    }
    const first = await start()
    const second = await start()
    // Another test, or a gateway of this machine, may have the port already.
    if (first.adminUrl !== undefined) {
      expect(first.adminUrl).toBe('http://127.0.0.1:41003')
      expect((await ask(`${first.adminUrl}/events/recent`)).status).toBe(200)
      expect(first.err).toBe('')
    } else expect(first.err).toContain('no admin port, since 41003 is taken')
    expect(second.adminUrl).toBeUndefined()
    expect(second.err).toContain(
      'no admin port, since 41003 is taken: admin_port: 0 (--admin-port 0) takes any free one',
    )
    expect((await ask(`${second.url}/v1/models`)).status).toBe(200)
    const named = gatewayStart(['--port', '0', '--admin-port', '41003'])
    expect(await named.ended).toBe(2)
    expect(named.err).toContain('the admin port 41003 is taken')
  })

  test.each(['0', '65', 'many'])('--workers %s is refused', async (workers) => {
    const run = gatewayStart(['--workers', workers])
    expect(await run.ended).toBe(2)
    expect(run.err).toContain(`--workers: '${workers}' is not a number from 1 to 64`)
  })

  test('--json is one line with the address and the process', async () => {
    const run = gatewayStart(['--port', '0', '--admin-port', 'off', '--json'])
    await until(() => run.out.endsWith('\n'))
    expect(JSON.parse(run.out)).toEqual({ url: expect.stringMatching(/^http:/), pid: run.child.pid })
  })

  test('ends with the process that started it', async () => {
    const run = gatewayStart(['--port', '0', '--json'], true)
    await until(() => run.out.endsWith('\n'))
    run.child.disconnect()
    expect(await run.ended).toBe(0)
  })

  test('a taken port is an error, or with --next-free-port the next one', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    atEnd(async () => void taken.close())
    const port = (taken.address() as AddressInfo).port
    const refused = gatewayStart(['--port', String(port)])
    expect(await refused.ended).toBe(2)
    expect(refused.err).toMatch(new RegExp(`^kt: port ${port} is taken\n`))
    const next = gatewayStart(['--port', String(port), '--next-free-port', '--json'])
    await until(() => next.out.endsWith('\n'))
    expect(Number(new URL(JSON.parse(next.out).url).port)).toBeGreaterThan(port)
  })

  test('bad flags and configs: one clear message, exit 2, no stack, and never a key', async () => {
    const dir = tempDir()
    onTestFinished(() => dir.remove())
    const typo = dir.write('typo.yaml', 'gateway: { connection_pool: { max_totl: 3 } }')
    const two = dir.write(
      'two.yaml',
      'gateway: { providers: [{ name: a, base_url: "http://h", api_key: sk-secret }, { name: b, base_url: ' +
        '"http://i" }] }',
    )
    const cases: [string[], RegExp][] = [
      [['--config', typo], /unknown key 'max_totl' \(did you mean 'max_total'\?\)/],
      [['--config', dir.file('none.yaml')], /cannot read the gateway config .*: no such file/],
      [['--config', two, '--upstream', 'http://j'], /--upstream stands for a single provider/],
      [['--upstream', 'not a url'], /--upstream: 'not a url' is not an http\(s\) URL/],
      [['--inject-delay', '15'], /--inject-delay: '15' is not a duration/],
      [['--port', '70000'], /port/],
      [['--upstraem', 'x'], /Did you mean --upstream\?/],
    ]
    const runs = cases.map(([args, message]) => ({ run: gatewayStart(args), message }))
    for (const { run, message } of runs) {
      expect(await run.ended).toBe(2)
      expect(run.err).toMatch(message)
      expect(run.err).not.toMatch(/\n\s+at |sk-secret/)
      expect(run.out).toBe('')
    }
  })
})
