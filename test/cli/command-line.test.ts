// The command line as people from other tools type it: short flags, other names, an address as argument, the
// environment, and what is refused in kt's own words. --dry-run shows what the options came to, and sends nothing.
import { expect, test } from 'vitest'
import { z } from 'zod'
import { dryRunSchema } from '../../src/report/preview.ts'
import { run } from '../support/run-command.ts'

const dryRun = z.object({
  options: z.record(z.string(), z.unknown()),
  arms: z.array(z.object({ name: z.string(), url: z.string() })),
  run: z.record(z.string(), z.unknown()),
  request: z.object({ head: z.array(z.string()), body: z.string() }),
  sends: z.object({ requests: z.number().nullable(), tokens: z.number().nullable(), usd: z.number().nullable() }),
})

async function planned(args: string[], env: Record<string, string> = {}): Promise<z.output<typeof dryRun>> {
  const { code, stdout, stderr } = await run(['bench', ...args, '--no-config', '--dry-run', '--json'], env)
  expect(code, stderr).toBe(0)
  return dryRun.parse(JSON.parse(stdout))
}

const URL_GIVEN = 'http://127.0.0.1:1/v1'

test('an address as the argument is --url; without its scheme it is HTTP', async () => {
  const url = 'http://127.0.0.1:1/v1/chat/completions'
  expect((await planned([URL_GIVEN])).arms).toEqual([{ name: 'target', url }])
  expect((await planned(['127.0.0.1:1', '-n', '5'])).arms[0]?.url).toBe(url)
  expect((await planned([], { KT_URL: 'http://127.0.0.1:2' })).arms[0]?.url).toContain(':2/')
  // What is typed wins over the environment.
  expect((await planned([URL_GIVEN], { KT_URL: 'http://127.0.0.1:2' })).arms[0]?.url).toContain(':1/')
  expect((await run(['bench', URL_GIVEN, '--url', URL_GIVEN])).stderr).toContain('two addresses were given')
})

test.each([
  ['-n', '7', { requests: '7' }],
  ['--num-prompts', '7', { requests: '7' }],
  ['--request-count', '7', { requests: '7' }],
  ['--num-requests', '7', { requests: '7' }],
  ['-c', '3', { concurrency: '3' }],
  ['--max-concurrency', '3', { concurrency: '3' }],
  ['--vus', '3', { concurrency: '3' }],
  ['--users', '3', { concurrency: '3' }],
  ['-d', '10s', { duration: '10s' }],
  ['-r', '20', { rps: '20' }],
  ['--rate', '20', { rps: '20' }],
  ['--request-rate', '20', { rps: '20' }],
  ['--qps', '20', { rps: '20' }],
  ['-m', 'gpt-5', { model: 'gpt-5' }],
  ['-o', '/tmp/r.json', { output: '/tmp/r.json' }],
  ['-H', 'X-Team: a', { header: ['X-Team: ***'] }],
  ['--workers', '2', { threads: '2' }],
  ['--isl', '500', { input_tokens: '500' }],
])('kt bench %s %s', async (flag, value, option) => {
  expect((await planned([URL_GIVEN, flag, value])).options).toMatchObject(option)
})

test('--rps with --concurrency has a cap; counts and durations as Go and k6 write them', async () => {
  const { run: open } = await planned([URL_GIVEN, '--rps', '100', '--concurrency', '8', '-d', '1h30m', '-n', '1e3'])
  expect(open).toMatchObject({ mode: 'open', rps: 100, maxInFlight: 8 })
  const both = await run(['bench', '--rps', '100', '--concurrency', '8', '--max-in-flight', '9', '--dry-run'])
  expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('both limit what an open loop has in flight') })
})

test('the environment gives any flag; a typed rival replaces it; a wrong value is refused by its name', async () => {
  const env = { KT_REQUESTS: '7', KT_STREAM: 'yes', KT_THRESHOLD: 'errors.rate<1%\nlatency.p99<1s' }
  expect((await planned([URL_GIVEN], env)).options).toMatchObject({
    requests: '7',
    stream: true,
    threshold: ['errors.rate<1%', 'latency.p99<1s'],
  })
  expect((await planned([URL_GIVEN, '-c', '2'], { KT_RPS: '5' })).run).toMatchObject({
    mode: 'closed',
    concurrency: 2,
  })
  const wrong = await run(['bench', '--dry-run'], { KT_REQUESTS: 'many', KT_STREAM: 'perhaps' })
  expect(wrong.stderr).toContain("KT_REQUESTS: 'many' is not a count")
  expect(wrong.stderr).toContain("KT_STREAM: 'perhaps' is neither true nor false")
  expect((await planned([URL_GIVEN], { KT_ENV: 'off', KT_REQUESTS: '7' })).options.requests).toBeUndefined()
})

test('--dry-run: the request as it would leave, without keys, and what the run would cost', async () => {
  const args = ['https://api.openai.com', '-n', '90', '-c', '10', '--api-key', 'sk-secret-1', '-H', 'X-Key: hush-hush']
  const { request, sends, run: planOf } = await planned([...args, '--prompt', 'Count to three', '--max-tokens', '20'])
  expect(request.head).toEqual(
    expect.arrayContaining([
      'POST /v1/chat/completions HTTP/1.1',
      'host: api.openai.com',
      'authorization: Bearer ***',
      'x-key: ***',
    ]),
  )
  expect(request.head.at(-1)).toBe(`content-length: ${Buffer.byteLength(request.body)}`)
  expect(JSON.parse(request.body)).toMatchObject({
    model: 'gpt-4o-mini',
    messages: [{ role: 'user', content: expect.stringMatching(/^Count to three kt[a-z]{16}$/) }],
    max_tokens: 20,
  })
  expect(JSON.stringify(request)).not.toMatch(/sk-secret|hush/)
  // 90 and a warm-up request for each connection.
  expect(planOf).toMatchObject({ mode: 'closed', concurrency: 10, requests: 90, warmup: 10, timeoutS: 30, threads: 1 })
  expect(sends.requests).toBe(100)
  expect(sends.usd).toBeGreaterThan(0)
  const { stdout } = await run(['bench', '--no-config', '--dry-run'])
  expect(stdout).toMatch(/gateway: http:\/\/127\.0\.0\.1:41002.*direct: http:\/\/127\.0\.0\.1:41001/s)
  expect(stdout).toContain('Nothing was sent.')
})

test.each([
  [['127.0.0.1:41002'], 'http://127.0.0.1:41002/v1/chat/completions'],
  [['--url', '127.0.0.1:41002'], 'http://127.0.0.1:41002/v1/chat/completions'],
  [['-u', 'gateway.test:8080/v1'], 'http://gateway.test:8080/v1/chat/completions'],
  [['--url', '[::1]:41002'], 'http://[::1]:41002/v1/chat/completions'],
])('an address without its scheme is HTTP: %j', async (given, url) => {
  expect((await planned(given)).arms).toEqual([{ name: 'target', url }])
  const both = ['bench', ...given, '--baseline-url', 'provider.test:8080', '--no-config', '--dry-run']
  expect((await run(both)).stdout).toContain('direct: http://provider.test:8080/v1/chat/completions')
})

test('--dry-run of a sweep: its levels, the run of the first, and what all would cost', async () => {
  const args = ['bench', 'sweep', 'https://api.openai.com', '--rps', '10,20,30', '--step', '2s', '--warmup', '7']
  const { code, stdout } = await run([...args, '--no-config', '--dry-run', '--json'])
  expect(code).toBe(0)
  const sweep = dryRunSchema.parse(JSON.parse(stdout))
  expect(sweep.levels).toEqual({ mode: 'open', levels: [10, 20, 30], stepS: 2, curves: 1 })
  expect(sweep.options).toMatchObject({ rps: [10, 20, 30], step: '2000ms', warmup: '7' })
  expect(sweep.run).toMatchObject({ mode: 'open', rps: 10, durationS: 2, warmup: 7 })
  // 20 + 40 + 60 requests, and a warm-up of 7 before each level.
  expect(sweep.sends).toMatchObject({ requests: 141, warmup: 21 })
  expect(sweep.sends.usd).toBeGreaterThan(0)
  const workers = await run(['bench', 'sweep', '--gateway-workers', '1,2', '--no-config', '--dry-run'])
  expect(workers.stdout).toContain('1, 2, 4, 8, 16, 32, 64 in flight, 2 times')
  expect(workers.stdout).toContain('5 s each, 70 s in all')
  expect(workers.stdout).not.toContain('direct: ')
})

test.each([
  [['bench', '--modle', 'x'], 'there is no flag --modle', 'Did you mean --model?'],
  [['bench', '--step', '5s'], 'there is no flag --step', '--step is a flag of kt bench sweep.'],
  [['bench', '-z', '1'], 'there is no flag -z', "See 'kt bench --help'."],
  [['bench', '--requests'], '--requests needs a value', "See 'kt bench --help'."],
  [['bench', '--requests', '1', '-n', '2'], '--requests was given twice', 'Keep one of them.'],
  [['bench', 'comapre', 'a', 'b'], "there is no command 'bench comapre a b'", "Did you mean 'kt bench compare'?"],
  [['bench', 'compare', 'a', 'b', 'c'], "'kt bench compare' takes no argument 'c'", "See 'kt bench compare --help'."],
  [['bench', 'http://a:1', 'http://b:2'], 'two addresses were given', 'Give one, as the argument or as --url.'],
  [
    ['doctor', 'a.yaml', 'http://me:pw@b:2'],
    "takes no argument 'http://***@b:2'",
    'Did you mean --url http://***@b:2?',
  ],
  [['slo', 'check'], 'REPORT is missing: report of kt bench', "See 'kt slo check --help'."],
  [['bench', '--arrival', 'possion', '--rps', '1'], "--arrival: 'possion' is none of", "(did you mean 'poisson'?)"],
  [['bench', '--endpoint', 'embedings'], "--endpoint: 'embedings' is none of", "(did you mean 'embeddings'?)"],
  [['bench', '--workload', 'chta'], "there is no workload 'chta'", "(did you mean 'chat'?)"],
  [['plan', '--rps', '1', '--workload', 'chta'], "no workload profile 'chta'", "(did you mean 'chat'?)"],
  [['bench', '--duration', '10'], "--duration: '10' is not a duration", 'Did you mean 10s?'],
  [['bench', '--budget', '7'], "--budget: '7' is not a duration", 'Did you mean 7ms?'],
  [['bench', '--timeout', '5'], "--timeout: '5' is not a duration", 'Did you mean 5s?'],
  [['gateway', 'start', '--admin-port', 'x'], "--admin-port: 'x' is not a port", "(or 'off')"],
])('kt %j is refused in words', async (args, message, next) => {
  const { code, stdout, stderr } = await run(args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain(message)
  expect(stderr).toContain(next)
  expect(stderr).not.toMatch(/Invalid (?:input|option)|Expected|See more help|received/)
})

test('with --json an error is JSON on stdout too', async () => {
  const { code, stdout, stderr } = await run(['bench', '--requests', 'x', '--json'])
  expect(code).toBe(2)
  expect(JSON.parse(stdout)).toEqual({
    error: {
      message: "--requests: 'x' is not a count such as '100' or '10k'",
      next: "See 'kt bench --help'.",
      exitCode: 2,
    },
  })
  expect(stderr).toContain("--requests: 'x' is not a count")
})

test('--quiet: no line on stderr; an unreachable gateway is exit 4', async () => {
  const asked = ['--admin', 'http://127.0.0.1:1']
  expect(await run(['cache', 'stats', ...asked])).toMatchObject({ code: 4, stdout: '' })
  const quiet = await run(['bench', 'http://127.0.0.1:1', '-n', '1', '-q', '--no-config', '--json'])
  expect(quiet).toMatchObject({ code: 4, stderr: '' })
})
