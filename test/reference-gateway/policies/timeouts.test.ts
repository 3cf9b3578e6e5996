// Large texts and slow patterns run in a worker thread, are ended at policy_timeout, and delay no other request.
import { expect, test } from 'vitest'
import { post } from '../support/harness.ts'
import { chat, echo, gatewayWith } from './support/gateway.ts'

/** A slow pattern must remember the last 900 characters, which never occur again. */
const LARGE = randomText(1_000_000)
const SLOW = '[a-z ]*x[a-z ]{900}y!'

function randomText(length: number): string {
  let seed = 7
  return Array.from({ length }, () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return 'abxy '[(seed >>> 16) % 5]
  }).join('')
}

const policy = (rest: Record<string, unknown>) => ({
  name: 'slow',
  type: 'input_filter',
  action: 'block',
  patterns: [SLOW],
  policy_timeout: '300ms',
  ...rest,
})

test('policy_timeout interrupts a search: fail_closed answers 503, fail_open passes', async () => {
  for (const [onTimeout, status] of [
    ['fail_closed', 503],
    ['fail_open', 200],
  ] as const) {
    const gateway = await gatewayWith([policy({ on_timeout: onTimeout })], echo())
    const startedMs = performance.now()
    const answer = await post(gateway, chat(LARGE))
    expect(answer.status).toBe(status)
    expect(performance.now() - startedMs).toBeLessThan(8_000)
    if (status === 503) expect(JSON.parse(answer.body.toString()).error.code).toBe('policy_timeout')
    // Another thread has replaced the one that was ended.
    expect((await post(gateway, chat('a small one'))).status).toBe(200)
  }
})

test('a large prompt with a slow pattern does not delay other requests', async () => {
  const gateway = await gatewayWith([policy({ policy_timeout: '1500ms' })], echo())
  await post(gateway, chat('warm'))
  const large = post(gateway, chat(LARGE))
  // Receiving and parsing the text takes this thread's time; judging it does not.
  await new Promise((resolve) => setTimeout(resolve, 400))
  const latencies: number[] = []
  for (let i = 0; i < 40; i++) {
    const startedMs = performance.now()
    expect((await post({ ...gateway }, chat('hi'), { agent: false })).status).toBe(200)
    latencies.push(performance.now() - startedMs)
  }
  latencies.sort((a, b) => a - b)
  expect(latencies[20]).toBeLessThan(150)
  expect((await large).status).toBe(503)
})

test('a slow pattern on a small text moves to a worker thread, and is interrupted there as well', async () => {
  const gateway = await gatewayWith([policy({ policy_timeout: '50ms' })], echo())
  const small = chat(LARGE.slice(0, 30_000))
  const answers = Array.from({ length: 3 }, () => post({ ...gateway }, small, { agent: false }))
  let answered = 0
  for (const answer of answers) void answer.then(() => answered++)
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect((await post({ ...gateway }, chat('hi'), { agent: false })).status).toBe(200)
  // If they ran in this thread, each of them would have delayed all requests behind it.
  expect(answered).toBeLessThan(3)
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(3).fill(503))
})

test('a pathological pattern is linear', async () => {
  const gateway = await gatewayWith([policy({ patterns: ['(a+)+$', '(x|x|x)*y', '(.*)*b$'], action: 'flag' })], echo())
  const startedMs = performance.now()
  expect((await post(gateway, chat('a'.repeat(30_000)))).status).toBe(200)
  expect(performance.now() - startedMs).toBeLessThan(2_000)
})
