// What is sent, and a config file beside the flags, as a user meets them.
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { Run } from '../../src/report/schema.ts'
import { httpServer, OK_BODY, type TestServer } from '../support/engine.ts'
import { parseBench } from '../support/kt.ts'
import { run } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(dir.remove)
let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

interface Seen {
  bodies: Record<string, unknown>[]
  headers: Record<string, unknown>[]
}

async function listen(): Promise<Seen> {
  const seen: Seen = { bodies: [], headers: [] }
  server = await httpServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    request.on('end', () => {
      seen.bodies.push(JSON.parse(text))
      seen.headers.push(request.headers)
      response.writeHead(200, { 'content-type': 'application/json' }).end(OK_BODY)
    })
  })
  return seen
}

async function bench(...args: string[]): Promise<Run> {
  const { code, stdout, stderr } = await run(['bench', '--json', ...args])
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
  return parseBench(stdout)
}

describe('kt bench --config', () => {
  it('runs as the file says, flags win, and the whole is in the report, without secrets', async () => {
    const seen = await listen()
    const config = dir.write(
      'bench.yaml',
      [
        `url: ${server?.origin}/v1/chat/completions?key=very-secret`,
        'api_key: sk-from-the-file',
        'header: "x-team: top-secret"',
        'requests: 40',
        'rps: 1000',
        'timeout: 5s',
        'input_tokens: lognormal(3,0.5)',
        'max_tokens: 9',
        'model: from-file',
      ].join('\n'),
    )
    const report = await bench(
      '--config',
      config,
      '--concurrency',
      '2',
      '--requests',
      '12',
      '--warmup',
      '0',
      '--model',
      'typed',
    )
    // The validating request, and the twelve.
    expect(seen.bodies).toHaveLength(13)
    expect(seen.bodies[0]).toMatchObject({ model: 'typed', max_tokens: 9 })
    expect(seen.headers[0]).toMatchObject({ authorization: 'Bearer sk-from-the-file', 'x-team': 'top-secret' })
    expect(report.load).toMatchObject({
      mode: 'closed',
      concurrency: 2,
      timeoutMs: 5_000,
      workload: { name: 'input-tokens' },
    })
    expect(report.load.options).toMatchObject({
      url: `${server?.origin}/v1/chat/completions?***`,
      header: ['x-team: ***'],
      requests: '12',
      concurrency: '2',
      warmup: '0',
      timeout: '5s',
      input_tokens: 'lognormal(3,0.5)',
      max_tokens: 9,
      model: 'typed',
      measure_ttfb: false,
      aa: false,
      split: false,
      threshold: [],
      seed: 1,
      json: true,
    })
    expect(JSON.stringify(report)).not.toMatch(/secret|sk-from/)
  })

  it('what the report holds runs again, and sends the same', async () => {
    await listen()
    const report = await bench('--url', server?.origin ?? '', '--requests', '5', '--workload', 'batch', '--seed', '7')
    const again = await bench('--config', dir.write('again.yaml', JSON.stringify(report.load.options)))
    expect(again.load.workload).toEqual(report.load.workload)
    expect(again.load.options).toEqual(report.load.options)
  })

  it.each([
    ['a missing file', undefined, 'no such file or folder'],
    ['no YAML', 'a: [', 'not valid YAML'],
    ['an unknown key', 'request: 5', "unknown key 'request' (did you mean 'requests'?)"],
    ['a key spelt as a flag', 'max-tokns: 5', "did you mean 'max-tokens'?"],
    ['a wrong value', 'requests: -1', 'bench.yaml: requests: must be a whole number of at least 1, not -1'],
    ['a wrong type', 'stream: "yes"', "bench.yaml: stream: 'yes' is neither true nor false"],
    ['a wrong distribution', 'input_tokens: normal(5,-1)', 'bench.yaml: input_tokens: the standard deviation'],
    ['what excludes each other in the file', 'prompt: a\nbody: b.json', 'exclude each other'],
  ])('refuses %s', async (_name, text, message) => {
    const path = text === undefined ? dir.file('none.yaml') : dir.write('bench.yaml', text)
    const { code, stdout, stderr } = await run(['bench', '--config', path])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr).not.toMatch(/\n\s+at /)
  })

  it('a wrong flag beside a file is named as a flag', async () => {
    const { stderr } = await run(['bench', '--config', dir.write('bench.yaml', 'model: m'), '--rps', '0'])
    expect(stderr).toContain('--rps: must be above 0, not 0')
  })
})

describe('kt bench, what is sent', () => {
  it('--prompts: line by line', async () => {
    const seen = await listen()
    const prompts = dir.write('p.jsonl', '"one"\n{"prompt":"two"}\n')
    const report = await bench(
      '--url',
      server?.origin ?? '',
      '--prompts',
      prompts,
      '--requests',
      '4',
      '--warmup',
      '0',
      '--concurrency',
      '1',
    )
    const texts = seen.bodies.map((body) => (body.messages as { content: string }[])[0]?.content.split(' ')[0])
    // The validating request takes the first one, too.
    expect(texts).toEqual(['one', 'one', 'two', 'one', 'two'])
    expect(report.load.workload.name).toBe('p.jsonl')
  })

  it('--body: as it stands', async () => {
    const seen = await listen()
    const body = dir.write('b.json', '{"model":"mine","temperature":0,"messages":[{"role":"user","content":"hi"}]}')
    const report = await bench('--url', server?.origin ?? '', '--body', body, '--requests', '1', '--warmup', '0')
    expect(Object.keys(seen.bodies[0] ?? {})).toEqual(['model', 'temperature', 'messages'])
    expect(report.target.model).toBe('mine')
  })

  it(
    '--workload mix on the embedded pair: the same requests on both arms, streamed and whole, ' + 'all measured',
    async () => {
      const report = await bench(
        '--workload',
        'mix',
        '--requests',
        '60',
        '--max-tokens',
        '4',
        '--warmup',
        '4',
        '--concurrency',
        '4',
      )
      expect(report.totals).toMatchObject({ sent: 60, successful: 60 })
      expect(report.baseline?.totals.successful).toBe(60)
      const streamed = report.ttftMs?.count ?? 0
      expect(streamed).toBeGreaterThan(40)
      expect(streamed).toBeLessThan(60)
      expect(report.baseline?.ttftMs?.count).toBe(streamed)
      expect(report.overhead[0]).toMatchObject({ definition: 'provider-stamped', count: 60, negative: 0 })
      expect(report.load.workload.name).toBe('mix')
    },
  )

  it('--workload embeddings', async () => {
    const report = await bench('--workload', 'embeddings', '--requests', '10', '--warmup', '0')
    expect(report.target).toMatchObject({ endpoint: 'embeddings', stream: false })
    expect(report.totals.successful).toBe(10)
  })

  it.each([
    [['--workload', 'chatt'], "there is no workload 'chatt' (did you mean 'chat'?)"],
    [
      ['--input-tokens', 'lognormal(6,-1)'],
      '--input-tokens: the sigma of lognormal(mu,sigma) must not be negative, and is -1',
    ],
    [['--output-tokens', '0'], '--output-tokens: must be a whole number from 1'],
    [['--prompts', '/no/such.jsonl'], 'no such file or folder'],
    [['--prompt', 'a', '--workload', 'chat'], '--prompt and --workload exclude each other'],
    [['--shared-prefix-tokens', '5'], '--shared-prefix-tokens goes before generated text'],
  ])('refuses %j in one message, before anything starts', async (args, message) => {
    const { code, stdout, stderr } = await run(['bench', ...args])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr).not.toMatch(/\n\s+at /)
    expect(stderr.trim().split('\n').length).toBeGreaterThanOrEqual(2)
  })
})
