// Do both arms answer alike? Real proxies before a real provider: honest ones, and some that change answers.
import { afterEach, describe, expect, it } from 'vitest'
import type { Agreement } from '../../src/report/schema.ts'
import { numberOf, provider, proxy, type Said } from '../support/answering-provider.ts'
import type { TestServer } from '../support/engine.ts'
import { parseBench } from '../support/kt.ts'
import { quickProvider } from '../support/provider.ts'
import { run as kt } from '../support/run-command.ts'

const servers: TestServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function kept<T extends TestServer>(starting: Promise<T>): Promise<T> {
  const server = await starting
  servers.push(server)
  return server
}

const SAID: Said = { reasoning: 'so then', content: 'The capital of Peru is Lima.', tool: '{"city":"Lima"}' }

interface Run {
  answers: Agreement | undefined
  stdout: string
  code: number | null
}

async function run(direct: TestServer, gateway: TestServer, more: string[] = [], requests = 60): Promise<Run> {
  const arms = ['--url', gateway.origin, '--baseline-url', direct.origin]
  const load = [
    '--requests',
    `${requests}`,
    '--concurrency',
    '4',
    '--no-validate',
    '--warmup',
    '0',
    '--output',
    '-',
    '--explain',
  ]
  const { code, stdout, stderr } = await kt(['bench', ...arms, ...load, ...more])
  return {
    answers: parseBench(stdout).agreement,
    stdout: stderr.replaceAll(/\s+/g, ' '),
    code,
  }
}

describe.each([
  ['whole', []],
  ['streamed', ['--stream']],
])('%s answers', (_name, stream) => {
  it('an honest gateway: all alike, and nothing is asked again', async () => {
    const direct = await kept(provider(() => SAID))
    const { answers, stdout, code } = await run(direct, await kept(proxy(direct.origin, (body) => body)), stream)
    expect(answers).toMatchObject({ compared: 60, every: 1, differing: 0, changed: 0, askedAgain: 0 })
    expect(stdout).toContain('Answers alike, 60 compared')
    expect({ calls: direct.calls(), code }).toEqual({ calls: 120, code: 0 })
  })

  it('a gateway that changes some is counted, with the first place', async () => {
    const direct = await kept(provider(() => SAID))
    const gateway = await kept(
      proxy(direct.origin, (body, number) => (number % 5 === 0 ? body.replace('Lima.', 'Lim\\u001b[31m') : body)),
    )
    const { answers, stdout } = await run(direct, gateway, stream)
    expect(answers).toMatchObject({ compared: 60, differing: 12, changed: 12, askedAgain: 12, notRepeated: 0 })
    expect(answers?.example).toMatchObject({ kind: 'visible', at: 26, choice: 0 })
    // The escape sequence is the gateway's own: neither the report nor a terminal gets it raw.
    expect(answers?.example).toMatchObject({ other: '… Peru is Lima.', through: '… Peru is Lim\\x1b[31m' })
    expect(stdout).toContain('Answers the gateway changed 12 of 60 answers; the provider repeats itself')
    expect(stdout).toContain('through the gateway')
    expect(stdout).not.toContain('\u001b[31m')
  })

  it('a gateway that strips reasoning, and one that drops the end of tool arguments', async () => {
    const direct = await kept(provider(() => SAID))
    const strip = (body: string) => body.replaceAll(/"reasoning_content":"[^"]*",?/g, '')
    const stripped = await run(direct, await kept(proxy(direct.origin, strip)), stream)
    expect(stripped.answers).toMatchObject({ compared: 60, changed: 60, askedAgain: 20 })
    expect(stripped.answers?.example).toMatchObject({ kind: 'reasoning', at: 0, other: 'so then', through: '' })
    expect(stripped.stdout).toContain('reasoning from character 0: "so then" directly, nothing through the gateway')
    // The last characters of the arguments, in a piece of their own where they are streamed.
    const drop = (body: string, number: number) => (number === 7 ? body.replace('\\"}"', '"') : body)
    const { answers } = await run(direct, await kept(proxy(direct.origin, drop)), stream)
    expect(answers).toMatchObject({ compared: 60, differing: 1, changed: 1, askedAgain: 1 })
    expect(answers?.example).toMatchObject({ kind: 'tool', other: '…"city":"Lima"}', through: '…"city":"Lima' })
  })

  it('other pieces, other escapes, other order of members and further ones are no difference', async () => {
    const direct = await kept(provider(() => ({ ...SAID, content: 'Zürich, 42 km/h "fast"' })))
    const rewrite = (body: string): string[] => {
      const written = body
        .replaceAll('ü', '\\u00fc')
        .replaceAll('km/h', 'km\\/h')
        .replaceAll('{"choices"', '{"id":"other","choices"')
      return written.match(/[\s\S]{1,7}/g) ?? []
    }
    const { answers } = await run(direct, await kept(proxy(direct.origin, rewrite)), stream)
    expect(answers).toMatchObject({ compared: 60, differing: 0, changed: 0 })
  })

  it('answers that repeat the nonce are alike', async () => {
    const direct = await kept(provider(({ text }) => ({ ...SAID, content: `You said: ${text}` })))
    const { answers } = await run(direct, await kept(proxy(direct.origin, (body) => body)), stream)
    expect(answers).toMatchObject({ compared: 60, differing: 0, changed: 0 })
  })
})

it('with --allow-empty an answer that holds nothing is one, also where it is asked for again', async () => {
  const direct = await kept(provider(() => ({ reasoning: '', content: '', tool: '' })))
  const gateway = await kept(proxy(direct.origin, (body) => body.replace('"content":""', '"content":"Sorry."')))
  const { answers } = await run(direct, gateway, ['--allow-empty'])
  expect(answers).toMatchObject({ compared: 60, changed: 60, example: { other: '', through: 'Sorry.' } })
})

/** A stream of which two events are one. */
const merged = (body: string): string =>
  body.replace(/"content":"The "[^\n]*\n\n[^\n]*"content":"capital "/, '"content":"The capital "')

it('events that a gateway merges are no difference', async () => {
  const direct = await kept(provider(() => SAID))
  const { answers } = await run(direct, await kept(proxy(direct.origin, merged)), ['--stream'])
  expect(answers).toMatchObject({ compared: 60, differing: 0, changed: 0 })
})

it('the simulated provider says what the request asks for and nothing else, its stamps in the text apart', async () => {
  const url = quickProvider({ stampInText: true })
  const direct = await kept(url.then(({ url: at, close }) => ({ origin: new URL(at).origin, close: () => close(0) })))
  const gateway = await kept(proxy(direct.origin, (body) => body))
  const drawn = ['--output-tokens', 'uniform(1,30)', '--input-tokens', '20']
  for (const stream of [[], ['--stream']]) {
    const { answers } = await run(direct, gateway, [...stream, ...drawn])
    expect(answers).toMatchObject({ compared: 60, differing: 0, changed: 0 })
  }
})

it('the embedded pair answers alike', async () => {
  const { stdout } = await kt([
    'bench',
    '--requests',
    '60',
    '--warmup',
    '0',
    '--stream',
    '--max-tokens',
    '9',
    '--explain',
  ])
  expect(stdout).toContain('Answers  alike, 60 compared')
})

describe('a provider that answers in several ways', () => {
  it('does not repeat itself: not compared, after ten requests', async () => {
    const direct = await kept(provider(({ before }) => ({ ...SAID, content: `answer ${before}` })))
    const judged = ['--threshold', 'answers.changed<10%']
    const { answers, stdout, code } = await run(direct, await kept(proxy(direct.origin, (body) => body)), judged)
    expect(answers).toMatchObject({ differing: 60, askedAgain: 5, notRepeated: 5, changed: null, why: 'not-repeated' })
    expect(stdout).toContain('the provider does not repeat itself: not compared (5 of 5 requests asked again')
    expect(stdout).toContain('INCONCLUSIVE answers.changed (no samples: the other arm does not repeat itself)')
    expect({ calls: direct.calls(), code }).toEqual({ calls: 130, code: 4 })
  })

  it('by the nonce: an honest gateway changed none, one that changes is found', async () => {
    const direct = await kept(provider(({ text }) => ({ ...SAID, content: `answer ${numberOf(text)}` })))
    const honest = await run(direct, await kept(proxy(direct.origin, (body) => body)))
    expect(honest.answers).toMatchObject({ compared: 20, differing: 60, askedAgain: 20, changed: 0 })
    expect(honest.stdout).toContain('Answers alike, 20 compared; some change with the nonce')
    const change = (body: string) => body.replace('answer', 'Answer')
    const changing = await run(direct, await kept(proxy(direct.origin, change)))
    expect(changing.answers).toMatchObject({ compared: 20, changed: 20, example: { kind: 'visible', at: 0 } })
  })
})

it('an old gateway as the other arm may cache: where the nonce changes answers nothing is compared', async () => {
  const named = { 'x-kong-proxy-latency': '1' }
  const old = await kept(provider(({ text }) => ({ ...SAID, content: `answer ${numberOf(text)}` }), named))
  const changing = await run(old, await kept(proxy(old.origin, (body) => body.replace('answer', 'Answer'))))
  expect(changing.answers).toMatchObject({ changed: null, why: 'not-repeated' })
  expect(changing.stdout).toContain('Answers the other arm does not repeat itself: not compared')
  const same = await kept(provider(() => SAID, named))
  const { stdout } = await run(same, await kept(proxy(same.origin, (body) => body.replace('Lima.', 'Lima'))))
  expect(stdout).toContain('Answers the target changed 60 of 60 answers; the other arm repeats itself')
})

describe('the threshold answers.changed', () => {
  it.each([
    ['fails', (body: string) => body.replace('Lima', 'Cusco'), 3, /FAIL answers\.changed 100 % (\[.*?\] )?>= 1 %/],
    ['passes', (body: string) => body, 0, /PASS answers\.changed 0 % (\[.*?\] )?< 20 %/],
  ])('%s', async (_name, change, exit, line) => {
    const direct = await kept(provider(() => SAID))
    const limit = exit === 0 ? '20%' : '1%'
    const judged = ['--threshold', `answers.changed<${limit}`]
    const { code, stdout } = await run(direct, await kept(proxy(direct.origin, change)), judged, 100)
    expect(stdout).toMatch(line)
    expect(code).toBe(exit)
  })

  it('with one arm there is nothing to compare', async () => {
    const direct = await kept(provider(() => SAID))
    const load = ['--requests', '20', '--warmup', '0', '--threshold', 'answers.changed<1%']
    const { code, stdout } = await kt(['bench', '--url', direct.origin, ...load])
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('answers are compared between two arms (--baseline-url)')
    expect(code).toBe(4)
  })
})

it('--no-compare-answers compares nothing; with one arm --compare-answers is refused', async () => {
  const direct = await kept(provider(() => SAID))
  const gateway = await kept(proxy(direct.origin, (body) => body.replace('Lima', 'Cusco')))
  expect((await run(direct, gateway, ['--no-compare-answers'])).answers).toBeUndefined()
  const { code, stderr } = await kt(['bench', '--url', direct.origin, '--compare-answers'])
  expect(stderr).toContain('--compare-answers')
  expect(code).toBe(2)
})
