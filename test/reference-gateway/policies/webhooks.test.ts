// Policies that an HTTP service judges: concurrent within a group, one after the other otherwise, within their time,
// and a limited number at once.
import { expect, test } from 'vitest'
import { post } from '../support/harness.ts'
import { chat, echo, gatewayWith, hook } from './support/gateway.ts'

const policy = (name: string, url: string, rest: Record<string, unknown> = {}) => ({
  name,
  type: 'input_filter',
  action: 'block',
  webhook: { url },
  ...rest,
})

async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return performance.now() - startedMs
}

test('two webhooks of 50 ms in one group take less time than one after the other', async () => {
  const [a, b] = [await hook(50, () => ({})), await hook(50, () => ({}))]
  const together = await gatewayWith(
    [policy('a', a.url, { parallel_group: 'g' }), policy('b', b.url, { parallel_group: 'g' })],
    echo(),
  )
  const inTurn = await gatewayWith([policy('a', a.url), policy('b', b.url)], echo())
  const measured = { together: [] as number[], inTurn: [] as number[] }
  for (let i = 0; i < 7; i++) {
    measured.together.push(await millisecondsOf(() => post(together, chat('hi'))))
    measured.inTurn.push(await millisecondsOf(() => post(inTurn, chat('hi'))))
  }
  expect(Math.min(...measured.inTurn)).toBeGreaterThanOrEqual(98)
  expect(Math.min(...measured.together)).toBeLessThan(80)
  expect(Math.min(...measured.together)).toBeGreaterThanOrEqual(48)
})

test('a webhook’s matches are redacted with its replacement or the policy’s', async () => {
  const { url, questions } = await hook(0, ([text = '']) => ({
    matches: [
      { start: 0, end: 3 },
      { start: text.length - 2, end: text.length, replacement: '<end>' },
    ],
  }))
  const asked: string[] = []
  const gateway = await gatewayWith([policy('hook', url, { action: 'redact', replacement: '***' })], echo(asked))
  await post(gateway, chat('Bob was here'))
  expect(JSON.parse(asked[0] ?? '').messages[0].content).toBe('*** was he<end>')
  expect(questions).toEqual([{ policy: 'hook', direction: 'input', texts: ['Bob was here'] }])
})

test('a webhook that is late, fails or answers wrongly gives no judgement: on_timeout decides', async () => {
  const late = await hook(1_000, () => ({}))
  const broken = await hook(0, () => ({ matches: [{ start: 5, end: 4_000 }] }))
  const elsewhere = await hook(0, () => ({ matches: [{ index: 1, start: 0, end: 2 }] }))
  for (const { url } of [late, broken, elsewhere, { url: 'http://127.0.0.1:9/nobody' }]) {
    const closed = await gatewayWith([policy('p', url, { policy_timeout: '100ms' })], echo())
    const open = await gatewayWith([policy('p', url, { policy_timeout: '100ms', on_timeout: 'fail_open' })], echo())
    const tookMs = await millisecondsOf(async () => {
      expect((await post(closed, chat('hello there'))).status).toBe(503)
      expect((await post(open, chat('hello there'))).status).toBe(200)
    })
    expect(tookMs).toBeLessThan(900)
  }
})

test('at most max_concurrency calls run at once; others wait', async () => {
  const made = await hook(30, () => ({}))
  const gateway = await gatewayWith([policy('p', made.url, { webhook: { url: made.url, max_concurrency: 2 } })], echo())
  const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => post(gateway, chat(`number ${i}`))))
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200))
  expect(made.questions).toHaveLength(8)
  expect(made.mostAtOnce).toBe(2)
})

test('a webhook judges a stream window by window, and no text leaves unjudged', async () => {
  const { url, questions } = await hook(20, (texts) => ({
    matches: texts.flatMap((text, index) =>
      [...text.matchAll(/bad/g)].map((one) => ({ index, start: one.index, end: one.index + 3 })),
    ),
  }))
  const output = { name: 'p', type: 'output_filter', action: 'redact', webhook: { url } }
  const gateway = await gatewayWith(
    [output],
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const content of ['a bad ', 'word', ' and another ', 'bad one.'.repeat(20)]) {
        response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`)
      }
      response.end('data: [DONE]\n\n')
    },
    { streaming: { chunk_buffer: '64', flush_interval: '50ms' } },
  )
  const text = (await post(gateway, { ...chat('hi'), stream: true })).body.toString()
  const content = text
    .split('\n\n')
    .filter((one) => one.includes('choices'))
    .map((one) => JSON.parse(one.slice(6)).choices[0].delta.content)
    .join('')
  const whole = `a bad word and another ${'bad one.'.repeat(20)}`
  expect(questions.map(({ texts }) => texts[0]).join('')).toBe(whole)
  expect(questions.length).toBe(Math.ceil(whole.length / 64))
  expect(content.replaceAll('[REDACTED]', '')).not.toMatch(/^bad| bad /)
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
})

test('the answer of a webhook is waited for longer than flush_interval', async () => {
  const { url } = await hook(200, (texts) => ({ matches: texts.map((_, index) => ({ index, start: 0, end: 6 })) }))
  const gateway = await gatewayWith(
    [{ name: 'p', type: 'output_filter', action: 'redact', webhook: { url } }],
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'secret word' } }] })}\n\n`)
      setTimeout(() => response.end('data: [DONE]\n\n'), 600)
    },
    { streaming: { flush_interval: '30ms' } },
  )
  const text = (await post(gateway, { ...chat('hi'), stream: true })).body.toString()
  expect(text).toContain('"content":"[REDACTED] word"')
})
