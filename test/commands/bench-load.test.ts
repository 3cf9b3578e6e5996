// The load flags as a user meets them, and the machine failing under them: full disk, no descriptors, an impatient
// user.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { httpServer, OK_BODY, type TestServer } from '../support/engine.ts'
import { parseBench, readBench, startKt } from '../support/kt.ts'
import { quickProvider } from '../support/provider.ts'
import { run as kt } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/waits.ts'

const dir = tempDir()
const bin = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
afterAll(dir.remove)

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

async function answering(ms = 0): Promise<string> {
  server = await httpServer((request, response) => {
    request.resume()
    request.on('end', () => setTimeout(() => response.end(OK_BODY), ms))
  })
  return server.origin
}

/** Whether a test may make a network with other limits than the machine's. */
function hasNetworksOfItsOwn(): boolean {
  return spawnSync('unshare', ['-rn', 'sh', '-c', 'ip link set lo up']).status === 0
}

describe('kt bench refuses', () => {
  it.each([
    ['--stages nonsense', ['--stages', '10rps'], "'10rps' is not a stage such as '200rps@60s'"],
    ['--stages beside --rps', ['--stages', '10rps@5s', '--rps', '3'], '--stages gives the load by itself'],
    [
      '--stages beside --duration',
      ['--stages', '10rps@5s', '--duration', '3s'],
      '--stages gives the duration by itself',
    ],
    ['--arrival of a closed loop', ['--arrival', 'poisson'], '--arrival goes with an open loop'],
    ['--burstiness without gamma', ['--rps', '5', '--burstiness', '2'], '--burstiness goes with --arrival gamma'],
    ['--think-time of an open loop', ['--rps', '5', '--think-time', '1s'], '--think-time goes with a closed loop'],
    ['--max-in-flight of a closed loop', ['--max-in-flight', '5'], '--max-in-flight goes with an open loop'],
    ['--idle-timeout without a stream', ['--idle-timeout', '5s'], '--idle-timeout goes with --stream'],
    ['--connections over HTTP/1.1', ['--connections', '5'], '--connections goes with --http2'],
    [
      '--http2 --no-keepalive',
      ['--url', 'http://h', '--http2', '--no-keepalive'],
      'HTTP/2 is many requests on one connection',
    ],
    ['--insecure over http', ['--url', 'http://h', '--insecure'], '--insecure goes with an https:// address'],
    ['a --ca that is not there', ['--url', 'https://h', '--ca', '/no/such.pem'], 'cannot read the certificate file'],
    ['--workers few', ['--workers', 'few'], "neither a number of threads nor 'auto'"],
    ['--warmup soon', ['--warmup', 'soon'], 'neither a count'],
    [
      '--samples in no folder',
      ['--url', 'http://127.0.0.1:1', '--samples', '/no/such/s.ndjson'],
      'no such file or folder',
    ],
  ])('%s', async (_name, args, message) => {
    const { code, stdout, stderr } = await kt(['bench', ...args])
    expect(stderr).toContain(message)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).not.toMatch(/\n\s+at /)
  })
})

describe('kt bench', () => {
  it('stages, arrivals and threads stand in the heading and in the report', async () => {
    const out = dir.file('s.json')
    const { code, stdout } = await kt([
      ...['bench', '--url', await answering(), '--stages', '20rps@500ms,100rps@500ms', '--arrival', 'gamma'],
      ...['--burstiness', '0.5', '--workers', '2', '--output', out, '--explain'],
    ])
    expect(code).toBe(0)
    const text = stdout.replaceAll(/\s+/g, ' ')
    expect(text).toContain('20 requests/s for 500 ms, then 20 to 100 requests/s in 500 ms')
    expect(text).toContain('gamma arrivals of burstiness 0.5')
    const { load, client } = readBench(out)
    expect(load).toMatchObject({ mode: 'open', arrival: 'gamma', burstiness: 0.5, durationS: 1, workers: 2 })
    expect(client.workers).toHaveLength(2)
  })

  it('think time is printed with the true number in flight', async () => {
    const args = [
      'bench',
      '--url',
      await answering(20),
      '--concurrency',
      '8',
      '--think-time',
      '100ms',
      '--duration',
      '1s',
      '--explain',
    ]
    const { stdout } = await kt(args)
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /closed loop, 8 users, think time 100 ms, [\d.]+ in flight on average/,
    )
  })

  it('--no-keepalive shows what a connection costs', async () => {
    const { stdout } = await kt([
      'bench',
      '--url',
      await answering(),
      '--requests',
      '20',
      '--no-keepalive',
      '--explain',
    ])
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('a connection for every request')
    expect(stdout).toMatch(/Latency +Connect\n/)
  })

  it(
    'straight at a provider on this host: the one-way delays of the request path and of the ' + 'response path',
    async () => {
      const provider = await quickProvider()
      const out = dir.file('one-way.json')
      const { stdout } = await kt(['bench', '--url', provider.url, '--requests', '40', '--output', out, '--explain'])
      await provider.close()
      expect(stdout).toContain('request path')
      const { oneWayMs, overhead } = readBench(out)
      expect(oneWayMs?.requestPath.count).toBe(40)
      expect(oneWayMs?.responsePath.count).toBe(40)
      const [stamped] = overhead
      expect((oneWayMs?.requestPath.p50 ?? 0) + (oneWayMs?.responsePath.p50 ?? 0)).toBeLessThan(
        (stamped?.totalMs.max ?? 0) * 2,
      )
    },
  )

  it('says what waited and why, where a stall makes whoever is behind it late', async () => {
    const startedMs = performance.now()
    server = await httpServer((request, response) => {
      request.resume()
      request.on('end', () => {
        const intoSecond = (performance.now() - startedMs) % 1_000
        setTimeout(() => response.end(OK_BODY), intoSecond < 200 ? 200 - intoSecond : 0)
      })
    })
    const { stdout } = await kt([
      'bench',
      '--url',
      server.origin,
      '--rps',
      '200',
      '--duration',
      '3s',
      '--max-in-flight',
      '1',
    ])
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('(coordinated omission)')
  })

  it('--samples writes a line a request', async () => {
    const file = dir.file('s.ndjson')
    const { code } = await kt(['bench', '--url', await answering(), '--requests', '50', '--samples', file])
    expect(code).toBe(0)
    const lines = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toHaveLength(50)
    expect(Object.keys(lines[0])).toEqual(
      'arm block nonce intendedUs sentUs firstByteUs firstTokenUs lastTokenUs endUs tokens outcome'.split(' '),
    )
  })

  it.skipIf(!existsSync('/dev/full'))(
    'a full disk under --samples is said, with --quiet too, and the run goes on',
    async () => {
      const out = dir.file('full.json')
      const { code, stdout, stderr } = await kt([
        ...[
          'bench',
          '--url',
          await answering(),
          '--requests',
          '60',
          '--samples',
          '/dev/full',
          '--output',
          out,
          '--quiet',
        ],
      ])
      expect(code).toBe(2)
      expect(stderr).toContain('--samples /dev/full: no space left. The run goes on without them.')
      expect(stdout).toMatch(/Successful:\s+60/)
      expect(readBench(out).samples).toMatchObject({ written: 0, lost: 60, error: 'no space left' })
    },
  )

  it('a report that can no longer be written costs nothing of what was measured', async () => {
    mkdirSync(dir.file('gone'))
    server = await httpServer((request, response) => {
      rmSync(dir.file('gone'), { recursive: true, force: true })
      request.resume()
      request.on('end', () => response.end(OK_BODY))
    })
    const args = ['bench', '--url', server.origin, '--requests', '20', '--output', dir.file('gone/r.json'), '--quiet']
    const { code, stdout, stderr } = await kt(args)
    expect(code).toBe(2)
    expect(stderr).toContain('The result is only in the output of this command.')
    expect(stdout).toMatch(/Successful:\s+20/)
  })

  it.skipIf(process.platform !== 'linux')(
    "out of file descriptors: classed as this machine's fault, nothing hangs",
    async () => {
      const origin = await answering(300)
      const args = `bench --url ${origin} --concurrency 200 --requests 400 --warmup 0 --json`
      const child = spawn('sh', ['-c', `ulimit -n 90 && exec "${process.execPath}" "${bin}" ${args}`], {
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      let stdout = ''
      child.stdout.setEncoding('utf8').on('data', (part: string) => {
        stdout += part
      })
      await new Promise((resolve) => child.on('close', resolve))
      const { totals, client } = parseBench(stdout)
      expect(totals.sent).toBe(400)
      expect(totals.outcomes.OK).toBeGreaterThan(10)
      expect(totals.outcomes.KT_RESOURCES).toBeGreaterThan(50)
      expect(totals.outcomes.KT_CONNECT).toBeUndefined()
      expect(client).toMatchObject({ verdict: 'saturated' })
    },
  )

  it.skipIf(!hasNetworksOfItsOwn())(
    'out of ports: the same, and the connections that there are go on (skipped without network namespaces)',
    async () => {
      const node = `"${process.execPath}" "${bin}"`
      // A network of its own with twenty ports to connect from, and the provider in it.
      const script = `ip link set lo up && echo "40000 40019" > /proc/sys/net/ipv4/ip_local_port_range || exit 9
        ${node} provider start --ttft 300ms --json > "${dir.file('provider.json')}" & provider=$!
        until [ -s "${dir.file('provider.json')}" ]; do sleep 0.05; done
        ${node} bench --url http://127.0.0.1:41001 --concurrency 60 --requests 120 --warmup 0 --json
        kill $provider; wait $provider`
      const child = spawn('unshare', ['-rn', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'ignore'] })
      let stdout = ''
      child.stdout.setEncoding('utf8').on('data', (part: string) => {
        stdout += part
      })
      await new Promise((resolve) => child.on('close', resolve))
      const { totals, client } = parseBench(stdout)
      expect(totals.sent).toBe(120)
      expect(totals.outcomes.OK).toBeGreaterThan(10)
      expect(totals.outcomes).toEqual({ OK: totals.outcomes.OK, KT_RESOURCES: 120 - (totals.outcomes.OK ?? 0) })
      expect(client).toMatchObject({ verdict: 'saturated' })
    },
  )

  it('Ctrl-C twice: gives up what is in flight at once, and still keeps what was measured', async () => {
    let calls = 0
    const { promise: givenUp, resolve } = Promise.withResolvers<void>()
    server = await httpServer((request, response) => {
      request.resume()
      // Twenty answers, then silence.
      if (++calls <= 20) request.on('end', () => response.end(OK_BODY))
      else response.on('close', resolve)
    })
    const out = dir.file('twice.json')
    const running = startKt(
      ['bench', '--url', server.origin, '--concurrency', '2', '--duration', '60s', '--warmup', '0', '--output', out],
      {},
    )
    await until(() => calls === 22, 'two requests without an answer')
    running.ctrlC()
    await sleep(300)
    const pressedMs = performance.now()
    running.ctrlC()
    await givenUp
    // The first press alone leaves them two seconds.
    expect(performance.now() - pressedMs).toBeLessThan(1_500)
    const { code, stdout } = await running.ended
    expect(code).toBe(130)
    expect(stdout).toContain('Interrupted')
    expect(stdout).toMatch(/2 requests were\s+cut off, and\s+counted\s+nowhere/)
    // One answer was the validating request's.
    expect(readBench(out).totals).toMatchObject({ sent: 19, failed: 0, cutOff: 2, outcomes: { OK: 19 } })
  })
})
