import { mkdirSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { httpServer, OK_BODY, type TestServer, tcpServer } from '../support/engine.ts'
import { run } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
mkdirSync(dir.file('folder'))
afterAll(dir.remove)

describe('kt bench refuses, before anything is sent', () => {
  it.each([
    ['an unknown flag', ['--outptu', 'x'], 'Did you mean --output?'],
    ['--rps 0', ['--rps', '0'], '--rps: must be above 0, not 0'],
    ['--rps abc', ['--rps', 'abc'], "'abc' is not a rate"],
    ['--requests -1', ['--requests', '-1'], '--requests: must be a whole number of at least 1, not -1'],
    ['--requests 1.5', ['--requests', '1.5'], 'whole number'],
    ['--concurrency 0', ['--concurrency', '0'], '--concurrency: must be a whole number'],
    ['--duration without a unit', ['--duration', '10'], "such as '500ms', '30s' or '5m'"],
    ['what is no URL', ['--url', 'nonsense'], "--url: 'nonsense' is not a URL"],
    ['a URL without a host', ['--url', 'http://'], 'is not a URL'],
    ['another scheme', ['--url', 'ftp://h/v1'], 'must begin with http:// or https://'],
    ['a key in the URL', ['--url', 'http://u:p@h/v1'], 'must not hold a user or password'],
    ['an endpoint that the URL contradicts', ['--url', 'http://h/v1/embeddings'], 'Pass --endpoint embeddings'],
    ['an unknown endpoint', ['--endpoint', 'chatt'], '--endpoint:'],
    ['streamed embeddings', ['--endpoint', 'embeddings', '--stream'], 'never streamed'],
    ['a header without a colon', ['--header', 'foo'], "--header: not of the form 'Name: value'"],
    [
      'a header value that no request may hold',
      ['--url', 'http://h', '--header', 'x-name: \u2603'],
      "kt cannot send the header 'x-name': invalid x-name header",
    ],
    ['an output in a folder that does not exist', ['--output', '/no/such/folder/r.json'], 'no such file or folder'],
    ['an output that is a folder', ['--output', dir.file('folder')], 'it is a folder'],
    ['a delay for a gateway that is not its own', ['--url', 'http://h', '--inject-delay', '5ms'], 'Leave --url out'],
    ['a pace for a provider that is not its own', ['--url', 'http://h', '--token-gap', '5ms'], 'Leave --url out'],
    ['a cassette that is not there', ['--provider-replay', 'none.jsonl'], 'cannot read the cassette none.jsonl'],
    ['a pace without a unit', ['--token-gap', '5'], "not a delay such as '20ms'"],
    ['a key that no header may hold', ['--api-key', 'sk-new\nline'], 'the key holds a blank'],
    ['an empty prompt', ['--prompt', ''], '--prompt: must not be empty'],
    ['a stray argument', ['stray'], "takes no argument 'stray'"],
  ])('%s', async (_name, args, message) => {
    const { code, stdout, stderr } = await run(['bench', ...args])
    expect(stderr).toContain(message)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).not.toMatch(/\n\s+at /)
    // What is wrong, and what to do next.
    expect(stderr.trim().split('\n').length).toBeGreaterThanOrEqual(2)
  })
})

describe('kt bench against a target that does not answer as it should', () => {
  let server: TestServer | undefined
  afterEach(async () => {
    await server?.close()
    server = undefined
  })
  const answer =
    (status: number, body: string): RequestListener =>
    (request, response) => {
      request.resume()
      request.on('end', () => response.writeHead(status, { 'content-type': 'application/json' }).end(body))
    }

  it.each([
    [
      '401',
      answer(401, '{"error":{"message":"Incorrect API key provided: sk-secret-key"}}'),
      'KT_HTTP_401',
      'Set KT_API_KEY',
    ],
    ['404', answer(404, '{"error":{"message":"The model x does not exist"}}'), 'KT_HTTP_404', '--model'],
    ['429', answer(429, '{"error":{"message":"Rate limit reached"}}'), 'KT_HTTP_429', 'Lower --rps or --concurrency'],
    ['500', answer(500, 'oops'), 'KT_HTTP_5XX', 'log of the target'],
    ['HTML', answer(200, '<!doctype html><title>Welcome'), 'KT_BAD_BODY', 'a web page or a proxy'],
  ])(
    '%s: every request failed, the class, the reason and the next step; exit 4',
    async (_name, listener, outcome, next) => {
      server = await httpServer(listener)
      const { code, stdout, stderr } = await run([
        'bench',
        '--url',
        server.origin,
        '--requests',
        '5',
        '--api-key',
        'sk-secret-key',
        '--no-validate',
      ])
      expect(code).toBe(4)
      expect(stdout).toContain('Every request failed')
      expect(stdout).toMatch(new RegExp(`${outcome}  5 x `))
      expect(stdout).toContain(next)
      expect(stdout + stderr).not.toContain('sk-secret-key')
      expect(stdout + stderr).not.toMatch(/\n\s+at /)
    },
  )

  it('an API that the target does not speak: named, after one request', async () => {
    server = await httpServer(answer(404, '{"detail":"Not Found"}'))
    const { code, stdout, stderr } = await run(['bench', '--url', server.origin, '--endpoint', 'messages'])
    expect(code).toBe(4)
    expect(stderr).toContain(`request to ${server.origin}/v1/messages failed: KT_HTTP_404`)
    expect(stderr).toContain('Does the target speak --endpoint messages?')
    expect(stdout).toContain('KT_HTTP_404  1 x ')
  })

  it('a refused connection', async () => {
    const gone = await tcpServer(() => {})
    await gone.close()
    const { code, stdout } = await run(['bench', '--url', gone.origin, '--requests', '5'])
    expect(code).toBe(4)
    expect(stdout).toContain('nothing listens at 127.0.0.1:')
    expect(stdout).toContain('Check that the target runs')
  })

  it('a public target: says what it will send before it sends; the name does not resolve here', async () => {
    const { code, stdout, stderr } = await run([
      'bench',
      '--url',
      'https://api.no-such-provider.invalid/v1',
      '--requests',
      '20',
      '--token-budget',
      '10k',
    ])
    expect(stderr).toMatch(
      /public address\. This run sends\n\s+30 requests, 10 of them warm-up, and one to validate it,/,
    )
    expect(stderr).toContain('It stops after 10k tokens.')
    expect(stdout).toContain('KT_DNS  1 x the host name could not be resolved')
    expect(code).toBe(4)
  })

  it('some failures: counted with their reasons, and the rest is measured', async () => {
    let calls = 0
    server = await httpServer((request, response) => answer(++calls % 10 === 0 ? 503 : 200, OK_BODY)(request, response))
    const { code, stdout } = await run([
      'bench',
      '--url',
      server.origin,
      '--requests',
      '100',
      '--warmup',
      '0',
      '--concurrency',
      '2',
    ])
    expect(code).toBe(0)
    expect(stdout).toMatch(/Successful:\s+90/)
    expect(stdout).toMatch(/Failed:\s+10/)
    expect(stdout).toMatch(/KT_HTTP_5XX {2}10 x/)
  })

  it('a refusal repeats no secret of what it refuses', async () => {
    const url = await run(['bench', '--url', 'http://user:hunter2@bad host/x?api-key=query-secret'])
    const header = await run(['bench', '--header', 'Authorization Bearer header-secret'])
    const key = await run(['bench', '--api-key', 'key secret'])
    for (const { code, stdout, stderr } of [url, header, key]) {
      expect(code).toBe(2)
      expect(stdout + stderr).not.toMatch(/hunter2|query-secret|header-secret|key secret/)
    }
  })

  it('the warm-up spends the token budget too', async () => {
    let calls = 0
    server = await httpServer((request, response) => {
      calls++
      answer(200, OK_BODY)(request, response)
    })
    const args = ['--requests', '100', '--warmup', '60', '--token-budget', '80', '--concurrency', '1']
    await run(['bench', '--url', server.origin, ...args])
    expect(calls).toBe(10)
  })

  it('the token budget stops the run and says so', async () => {
    server = await httpServer(answer(200, OK_BODY))
    const { stdout } = await run([
      'bench',
      '--url',
      server.origin,
      '--requests',
      '500',
      '--token-budget',
      '400',
      '--concurrency',
      '1',
    ])
    expect(stdout).toContain('Stopped: the token budget is spent.')
    // Eight tokens each, the validating request and the one of the warm-up among them.
    expect(stdout).toMatch(/Total Requests:\s+48/)
  })
})
