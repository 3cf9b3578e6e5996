// An event of any size is judged as a whole, over several turns of the event loop.
import { expect, test } from 'vitest'
import { policiesFile } from '../../../reference-gateway/policies/kinds/config-file.ts'
import { compilePolicy } from '../../../reference-gateway/policies/kinds/kinds.ts'
import { until } from '../../support/waits.ts'
import { longestGapMs, timeMs } from '../support/event-loop.ts'
import { post } from '../support/harness.ts'
import { assembled, DONE, event, redactedWhole, runFilter, startFilter, token } from './support/filter.ts'
import { gatewayWith } from './support/gateway.ts'

const PII = { name: 'pii', type: 'output_filter', action: 'redact', kind: 'pii', policy_timeout: '60s' }
const SECRETS = { name: 'p', type: 'output_filter', action: 'redact', patterns: ['SECRET-\\d+', 'é+'] }
const FILLER = 'All work and no play makes \\ "a" dull text. '

/** The stream in the given pieces, until it has left. */
async function whole(policies: unknown[], chunks: string[]): Promise<string> {
  const filtering = startFilter(policies)
  for (const chunk of chunks) filtering.filter.write(Buffer.from(chunk))
  filtering.filter.end()
  await until(() => filtering.ended || filtering.blocked !== undefined)
  return Buffer.concat(filtering.written).toString()
}

test('a large event is redacted as a whole text is, and those around it keep their order', async () => {
  const text = Array.from({ length: 1_500 }, (_, i) => `${FILLER}SECRET-${i} é`).join('')
  const stream = [token('before SEC'), token(`RET-1 ${text}SECRET`), token('-7 after', 0), token('other', 1), DONE]
  const left = await whole([SECRETS], [stream.join('')])
  const all = `before SECRET-1 ${text}SECRET-7 after`
  expect(assembled(left)).toEqual({ '0/content': redactedWhole(all, SECRETS.patterns), '1/content': 'other' })
  expect(left.endsWith(DONE)).toBe(true)
})

test('pieces that come while it is judged wait for it', async () => {
  const text = FILLER.repeat(2_000)
  const left = await whole([SECRETS], [token(`${text}SECRET`), token('-1 b'), token('c'), token('d', 1), DONE])
  expect(assembled(left)).toEqual({ '0/content': `${text}[REDACTED] bc`, '1/content': 'd' })
})

test('where nothing is found a large event leaves unchanged; where a policy blocks, nothing after it', async () => {
  const stream = [token(FILLER.repeat(1_000)), token('x'), DONE].join('')
  expect(await whole([SECRETS], [stream])).toBe(stream)
  const blocking = [{ ...SECRETS, action: 'block' }]
  const left = await whole(blocking, [token(`${FILLER.repeat(1_000)}SECRET-1 ${FILLER.repeat(1_000)}`), token('later')])
  expect(left).toContain('content_filter')
  expect(left).not.toContain('later')
})

test('many texts in one event, whole ones and ones that go on, end where the event says so', async () => {
  const output = Array.from({ length: 900 }, (_, i) => ({ content: [{ type: 'output_text', text: `SECRET-${i} x` }] }))
  const done = event({ type: 'response.completed', response: { status: 'completed', output } })
  const left = await whole([SECRETS], [done, DONE])
  expect(left.match(/\[REDACTED\] x/g)).toHaveLength(900)
  expect(left).not.toContain('SECRET')
  // The same in small events, at once.
  const small = output.slice(0, 9)
  const short = event({ type: 'response.completed', response: { status: 'completed', output: small } })
  expect(runFilter([SECRETS], [Buffer.from(short)]).text.match(/\[REDACTED\] x/g)).toHaveLength(9)
})

test.each([
  ['digits that could be anything', '1 ', 25_000, 3],
  // Writing what they become takes one turn.
  ['cards', '4111111111111111 ', 20_000, 1],
  ['characters that look otherwise', '１ \u{1d7d8}', 50_000, 3],
])('a large event of %s leaves the event loop to others', async (_what, unit, count, part) => {
  const text = unit.repeat(count)
  const [settings] = policiesFile.parse([PII])
  if (!settings) throw new Error('no policy')
  const { whole: judge } = compilePolicy(settings)
  if (judge.how !== 'search') throw new Error('no search')
  const here = timeMs(() => judge.search([text]))
  const gateway = await gatewayWith([PII], (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(token(text) + DONE)
  })
  await post(gateway, { model: 'm', stream: true })
  let answer = ''
  const gap = await longestGapMs(async () => {
    answer = (await post(gateway, { model: 'm', stream: true })).body.toString()
  })
  expect(answer.endsWith(DONE)).toBe(true)
  expect(gap).toBeLessThan(here / part)
})

test('a pattern that takes too long for a large event is interrupted at policy_timeout, over all turns', async () => {
  const slow = { ...SECRETS, patterns: ['([a-z]+ ?){1,100}!'], policy_timeout: '200ms' }
  const left = await whole([slow], [token('a'.repeat(400_000)), DONE])
  expect(left).toContain('policy_timeout')
  expect(left).not.toContain('aaa')
})
