import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { httpServer, OK_BODY, type TestServer } from '../support/engine.ts'
import { kt, parseBench, readBench, startKt } from '../support/kt.ts'
import { run } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(dir.remove)

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('kt bench', () => {
  it('without --url: measures its own gateway and provider in turns, and stops them', async () => {
    const { code, stdout, stderr } = await kt([
      'bench',
      '--requests',
      '100',
      '--concurrency',
      '4',
      '--stream',
      '--explain',
      '--output',
      dir.file('e.json'),
    ])
    expect({ code, stderr: stderr.replaceAll(/^kt .*(port|41\d+).*\n/gm, '') }).toMatchObject({ code: 0 })
    for (const row of ['Total Requests', 'Latency', 'TTFB', 'TTFT', 'TPOT', 'ITL']) {
      expect(stdout).toContain(row)
    }
    for (const row of [
      'Requests/sec',
      'Tokens/sec',
      'provider-stamped',
      'each token',
      'unattributed',
      'self-reported',
      'floor (direct)',
    ]) {
      expect(stdout).toContain(row)
    }
    // The one-way delays stand under the reading that they are parts of.
    const rows = [...stdout.matchAll(/^ {2,4}(provider-stamped|self-reported|request path|floor \(direct\)) +\d/gm)]
    expect(rows.map(([, name]) => name)).toEqual([
      'provider-stamped',
      'request path',
      'self-reported',
      'floor (direct)',
    ])
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    const report = readBench(dir.file('e.json'))
    expect(report.totals).toMatchObject({ sent: 100, successful: 100 })
    expect(report.pairing).toBe('block')
    expect(report.baseline?.totals.sent).toBe(100)
    expect(report).toMatchObject({ role: 'gateway', target: { stream: true } })
    expect(report.overhead.map((entry) => entry.definition)).toEqual(['provider-stamped', 'self-reported'])
    expect(report.overhead[0]?.perTokenMs?.p50).toBeLessThan(1_000)
    expect(report.blocks).toHaveLength(10)
    expect(report.client.floorMs?.p50).toBeGreaterThan(0)
    expect(report.overhead[0]?.negative).toBe(0)
  })

  it('takes the next free ports when its own are taken, says so, and stops its servers', async () => {
    const blocker = createServer()
    const hold = (): Promise<boolean> =>
      new Promise((resolve) => {
        blocker.once('error', () => resolve(false))
        blocker.listen(41001, '127.0.0.1', () => resolve(true))
      })
    for (let taken = false; !taken; ) {
      const own = await hold()
      const running = startKt(['bench', '--requests', '20', '--concurrency', '2', '--warmup', '0'])
      const { code, stdout, stderr } = await running.ended
      // Another test that had the port may have left it before kt asked for it: then once more.
      taken = own || !(await hold())
      blocker.close()
      expect(code).toBe(0)
      if (!taken) continue
      expect(stderr).toMatch(/41001/)
      expect(stdout).not.toContain('http://127.0.0.1:41001/')
    }
  })

  it('the open loop shows latency from the intended time, and service separately', async () => {
    server = await httpServer((request, response) => {
      request.resume()
      request.on('end', () => response.end(OK_BODY))
    })
    const { code, stdout } = await run([
      'bench',
      '--url',
      server.origin,
      '--rps',
      '200',
      '--duration',
      '1s',
      '--explain',
      '--output',
      dir.file('o.json'),
    ])
    expect(code).toBe(0)
    expect(stdout).toContain('Latency: latency, from intended')
    expect(stdout).toContain('Service: service, from sent')
    const report = readBench(dir.file('o.json'))
    expect(report.totals.sent).toBe(200)
    expect(report.load).toMatchObject({ mode: 'open', rps: 200, durationS: 1, concurrency: null })
    expect(report.client.achievedToOffered).toBeGreaterThan(0.5)
  })

  it('--json prints the report and nothing else; pipes get no colours and no bar', async () => {
    server = await httpServer((request, response) => {
      request.resume()
      request.on('end', () => response.end(OK_BODY))
    })
    const { stdout, stderr } = await kt(['bench', '--url', server.origin, '--requests', '10', '--json'])
    expect(parseBench(stdout).totals.sent).toBe(10)
    expect(stderr).toBe('')
    const plain = await kt(['bench', '--url', server.origin, '--requests', '10'])
    const text = plain.stdout + plain.stderr
    expect(stripVTControlCharacters(text)).toBe(text)
    expect(text).not.toContain('\r')
  })

  it('the key reaches the target and nothing else', async () => {
    const seen: string[] = []
    server = await httpServer((request, response) => {
      seen.push(String(request.headers.authorization))
      request.resume()
      request.on('end', () => response.end(OK_BODY))
    })
    const out = dir.file('k.json')
    const args = [
      'bench',
      '--url',
      `${server.origin}/v1/chat/completions?key=in-the-query`,
      '--requests',
      '4',
      '--output',
      out,
    ]
    const fromFlag = await run([...args, '--api-key', 'flag-key-1', '--header', 'x-secret: header-key'])
    const stored = readFileSync(out, 'utf8')
    const fromEnv = await run([...args, '--json'], { KT_API_KEY: 'env-key-2', OPENAI_API_KEY: 'other-key-3' })
    const fromOpenAi = await run(args, { OPENAI_API_KEY: 'other-key-3' })
    expect(new Set(seen)).toEqual(new Set(['Bearer flag-key-1', 'Bearer env-key-2', 'Bearer other-key-3']))
    const everything = [fromFlag, fromEnv, fromOpenAi].map((ended) => ended.stdout + ended.stderr).join('') + stored
    expect(everything).not.toMatch(/flag-key-1|env-key-2|other-key-3|header-key|in-the-query/)
    expect(JSON.parse(stored).command).toContain('--api-key ***')
  })

  it('Ctrl-C once: stops, keeps what was measured, exit 130, and leaves no server behind', async () => {
    const out = dir.file('c.json')
    const running = startKt(['bench', '--duration', '60s', '--concurrency', '2', '--warmup', '0', '--output', out])
    await running.said(/done/)
    const children = childrenOf(running.child.pid ?? 0)
    expect(children.length).toBeGreaterThanOrEqual(2)
    running.ctrlC()
    const { code, stdout } = await running.ended
    expect(code).toBe(130)
    expect(stdout).toContain('Interrupted: these are the results up to then.')
    const report = readBench(out)
    expect(report.interrupted).toBe(true)
    expect(report.totals.successful).toBeGreaterThan(0)
    // What was in flight was answered: the servers did not stop before the sending did.
    expect(report.totals.failed).toBe(0)
    expect(children.filter(alive)).toEqual([])
  })

  it('a killed bench takes its servers with it', async () => {
    const running = startKt(['bench', '--duration', '60s', '--concurrency', '2', '--warmup', '0'])
    await running.said(/done/)
    const children = childrenOf(running.child.pid ?? 0)
    running.child.kill('SIGKILL')
    await running.ended
    const deadline = Date.now() + 10_000
    while (children.some(alive) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50))
    expect(children.filter(alive)).toEqual([])
  })
})

/** The processes that `pid` started, from /proc. */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => {
      try {
        return readFileSync(`/proc/${candidate}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(pid)
      } catch {
        return false
      }
    })
}
