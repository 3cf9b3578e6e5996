// The validating request: what would fail every request of a run fails one, and stops it; what may pass does not, and
// spoils no count.
import { createServer } from 'node:net'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { EXIT } from '../../src/errors.ts'
import { httpServer, OK_BODY, type TestServer } from '../support/engine.ts'
import { parseBench, readBench, startKt } from '../support/kt.ts'
import { run as kt } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(dir.remove)

const servers: TestServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

interface Counted extends TestServer {
  calls(): number
}

/** Answers with `statuses`, one after another, and with the last one from then on. */
async function answering(...statuses: number[]): Promise<Counted> {
  let calls = 0
  const server = await httpServer((request, response) => {
    const status = statuses[Math.min(calls++, statuses.length - 1)] ?? 200
    const body = status === 200 ? OK_BODY : `{"error":{"message":"status ${status}, said the target"}}`
    request.resume()
    request.on('end', () => response.writeHead(status, { 'content-type': 'application/json' }).end(body))
  })
  servers.push(server)
  return { ...server, calls: () => calls }
}

describe('the validating request', () => {
  it.each([
    [401, 'KT_HTTP_401', 'Set KT_API_KEY'],
    [403, 'KT_HTTP_401', 'Set KT_API_KEY'],
    [404, 'KT_HTTP_404', '--model'],
    [400, 'KT_HTTP_4XX', 'Read the answer'],
    [413, 'KT_HTTP_4XX', 'Read the answer'],
    [422, 'KT_HTTP_4XX', 'Read the answer'],
    [307, 'KT_HTTP_3XX', 'kt follows no redirects'],
  ])('%i: one request, its reason, and nothing more', async (status, outcome, next) => {
    const server = await answering(status)
    const { code, stdout, stderr } = await kt(['bench', '--url', server.origin, '--requests', '500'])
    expect(server.calls()).toBe(1)
    expect(code).toBe(EXIT.inconclusive)
    expect(stdout).toContain(`${outcome}  1 x `)
    expect(stdout).toContain(next)
    expect(stdout).toContain('Stopped after the validating request')
    expect(stderr).toContain(outcome)
    expect(stderr).toContain('--no-validate')
  })

  it('a target that cannot be reached: refused, no TLS there, no such name', async () => {
    const plain = await answering(200)
    const probe = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => probe.once('listening', resolve))
    const address = probe.address()
    const port = typeof address === 'object' ? address?.port : 0
    await new Promise((resolve) => probe.close(resolve))
    for (const [url, outcome] of [
      [`http://127.0.0.1:${port}`, 'KT_CONNECT'],
      [plain.origin.replace('http:', 'https:'), 'KT_NO_TLS'],
      ['http://no-such-host.invalid', 'KT_DNS'],
    ] as const) {
      const { code, stdout } = await kt(['bench', '--url', url, '--requests', '50', '--json'])
      expect(code).toBe(EXIT.inconclusive)
      expect(parseBench(stdout).totals).toMatchObject({ sent: 1, outcomes: { [outcome]: 1 } })
    }
    expect(plain.calls()).toBe(0)
  })

  it.each([[429], [503], [500], [408], [425]])('%i may pass: the run goes on and counts its own', async (status) => {
    const server = await answering(status, 200)
    const args = ['--requests', '20', '--warmup', '3', '--concurrency', '2', '--json']
    const { code, stdout, stderr } = await kt(['bench', '--url', server.origin, ...args])
    expect(stderr).toContain('That may pass: the run goes on.')
    expect(stderr).toContain(`status ${status}, said the target`)
    expect(code).toBe(EXIT.passed)
    const { totals } = parseBench(stdout)
    expect(totals).toMatchObject({ sent: 20, successful: 20, failed: 0, warmup: { sent: 3, failed: 0 } })
    expect(server.calls()).toBe(1 + 3 + 20)
  })

  it('a good answer is in no figure, and nothing is said', async () => {
    const server = await answering(200)
    const args = ['--requests', '20', '--warmup', '0', '--concurrency', '2', '--json']
    const { stdout, stderr } = await kt(['bench', '--url', server.origin, ...args])
    expect(parseBench(stdout).totals).toMatchObject({ sent: 20, successful: 20 })
    expect({ calls: server.calls(), stderr }).toEqual({ calls: 21, stderr: '' })
  })

  it('--no-validate sends what would fail all the same', async () => {
    const server = await answering(401)
    const args = ['--no-validate', '--requests', '20', '--warmup', '0', '--json']
    const { code, stdout } = await kt(['bench', '--url', server.origin, ...args])
    expect(code).toBe(EXIT.inconclusive)
    expect(parseBench(stdout).totals.outcomes).toEqual({ KT_HTTP_401: 20 })
    expect(server.calls()).toBe(20)
  })

  it('both arms are validated, and a baseline that refuses stops the run under its own name', async () => {
    const [gateway, baseline] = [await answering(200), await answering(401)]
    const both = ['--url', gateway.origin, '--baseline-url', baseline.origin]
    const { code, stdout } = await kt(['bench', ...both, '--requests', '50', '--inconclusive', 'warn'])
    expect(code).toBe(EXIT.inconclusive)
    expect(gateway.calls()).toBeLessThanOrEqual(1)
    expect(baseline.calls()).toBe(1)
    expect(stdout).toMatch(/failed directly\n {2}KT_HTTP_401 {2}1 x/)
    expect(stdout).toContain('status 401, said the target')
    expect(stdout).not.toContain('Latency (ms)')
  })

  it('a sweep validates once, and stops likewise', async () => {
    const [bad, good] = [await answering(401), await answering(200)]
    const levels = ['--concurrency', '1,2', '--step', '200ms', '--warmup', '0', '--json']
    const refused = await kt(['bench', 'sweep', '--url', bad.origin, ...levels])
    expect({ code: refused.code, calls: bad.calls() }).toEqual({ code: EXIT.inconclusive, calls: 1 })
    expect(refused.stderr).toContain('KT_HTTP_401')
    const { code, stderr } = await kt(['bench', 'sweep', '--url', good.origin, ...levels])
    expect({ code, stderr }).toEqual({ code: EXIT.passed, stderr: '' })
  })
})

describe('Ctrl-C', () => {
  it('makes no failure of what waited for a slot in an open loop', async () => {
    let calls = 0
    const server = await httpServer((request, response) => {
      calls++
      request.resume()
      request.on('end', () => setTimeout(() => response.end(OK_BODY), 100))
    })
    servers.push(server)
    const out = dir.file('open.json')
    const load = ['--rps', '50', '--max-in-flight', '1', '--duration', '60s', '--warmup', '0', '--no-jit-warmup']
    const running = startKt(['bench', '--url', server.origin, ...load, '--output', out])
    while (calls < 8) await new Promise((resolve) => setTimeout(resolve, 20))
    running.ctrlC()
    const { code, stdout } = await running.ended
    expect(code).toBe(EXIT.interrupted)
    const { totals } = readBench(out)
    expect(totals.failed).toBe(0)
    expect(totals.sent).toBe(totals.successful)
    expect(totals.cutOff).toBeGreaterThan(0)
    expect(stdout).toMatch(/cut off, and\s+counted\s+nowhere/)
  })
})
