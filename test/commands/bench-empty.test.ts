// What the tables say of answers that hold nothing, of figures that rest on some answers only, and of output that kt
// does not know.
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, expect, it } from 'vitest'
import { httpServer, type TestServer } from '../support/engine.ts'
import { parseBench, readBench } from '../support/kt.ts'
import { AT_ONCE, run } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(dir.remove)
const read = (name: string): string => readFileSync(dir.file(name), 'utf8')
let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const chunk = (delta: object, finish_reason: string | null = null): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`
const USAGE = 'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":10}}\n\n'
const END = `${chunk({}, 'stop')}${USAGE}data: [DONE]\n\n`
const ANSWER = chunk({ content: 'a' }) + chunk({ content: 'b' })

/** A stream whose last event comes 5 ms after `events`; every fourth one has `fourth` instead. */
async function serve(events: string, fourth = events): Promise<string[]> {
  let sent = 0
  server = await httpServer((request, response) => {
    request.resume()
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(sent++ % 4 === 3 ? fourth : events)
      setTimeout(() => response.end(END), 5)
    })
  })
  const load = ['--requests', '40', '--concurrency', '2', '--warmup', '0', ...AT_ONCE]
  return ['bench', '--url', server.origin, '--stream', ...load]
}

it('a gateway whose answers all hold nothing passes no gate: exit 4', async () => {
  const { code, stdout } = await run([...(await serve(chunk({ content: '' }))), '--threshold', 'latency.p99<60s'])
  expect(code).toBe(4)
  expect(stdout).toContain('Every request failed')
  const text = stdout.replaceAll(/\s+/g, ' ')
  expect(text).toContain('KT_EMPTY 40 x a complete answer that holds nothing')
  expect(text).toContain('its usage tells 10 output tokens')
})

it('rows say on how many answers they rest, as text and as Markdown', async () => {
  const file = dir.file('summary.md')
  const { stdout } = await run([...(await serve(ANSWER, chunk({ content: '' }))), '--markdown', file])
  expect(stdout).toMatch(/KT_EMPTY {2}10 x /)
  expect(stdout).toMatch(/^Latency \(ms\): +Latency +TTFB +TTFT +TPOT +ITL$/m)
  expect(stdout).toMatch(/^ +n=30 +n=30 +n=30 +n=30 +n=30$/m)
  expect(read('summary.md')).toMatch(/^\| Time to first token \|.*\| n=30 \|$/m)
})

it('a row that rests on all answers says nothing of it', async () => {
  const { stdout } = await run(await serve(ANSWER))
  expect(stdout).toMatch(/^ +P99:( +[\d.]+){5}$/m)
  expect(stdout).not.toContain('n=')
})

it.each(['--allow-empty', '--config'])('with %s they are successes, and counted', async (flag) => {
  dir.write('kt.yaml', 'allow_empty: true\n')
  const args = [
    ...(await serve(ANSWER, chunk({ content: '' }))),
    flag,
    ...(flag === '--config' ? [dir.file('kt.yaml')] : []),
  ]
  const report = dir.file('allowed.json')
  const { code, stdout } = await run([...args, '--output', report])
  expect(code).toBe(0)
  expect(stdout).toMatch(/10 answers held nothing and count as successes/)
  // They have no first token.
  expect(stdout).toMatch(/^ +n=30 +n=30 +n=30$/m)
  const { totals, answers } = readBench(report)
  expect([totals.successful, answers]).toEqual([40, { empty: 10 }])
})

it('output under an unknown name makes the times of tokens suspect, in table, report and comparison', async () => {
  const strange = Array.from({ length: 8 }, () => chunk({ thoughts: 'hm ' })).join('')
  const [known, unknown] = [dir.file('known.json'), dir.file('unknown.json')]
  await run([...(await serve(ANSWER)), '--output', known])
  await server?.close()
  const { stdout } = await run([...(await serve(strange + ANSWER)), '--output', unknown])
  expect(stdout).toMatch(/^ +suspect +suspect +suspect$/m)
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain('tells 320 output tokens that kt did not see')
  expect(stdout).toContain('delta.thoughts')
  const { answers } = parseBench(read('unknown.json'))
  expect(answers?.suspect).toEqual({ answers: 40, missedTokens: 320, members: ['delta.thoughts'] })
  const compared = await run(['bench', 'compare', known, unknown])
  expect(compared.stdout).toContain('delta.thoughts')
})

it('a comparison says on how many answers each side rests', async () => {
  const [all, some] = [dir.file('all.json'), dir.file('some.json')]
  await run([...(await serve(ANSWER)), '--output', all])
  await server?.close()
  await run([...(await serve(ANSWER, chunk({ content: '' }))), '--output', some])
  const { stdout } = await run(['bench', 'compare', all, some, '--markdown', dir.file('compared.md')])
  expect(stdout).toMatch(/^TTFT P99 .*\n +n=40 +n=30$/m)
  expect(read('compared.md')).toMatch(/^\| ttft\.p50 \(n=40, 30\) \|/m)
})

it('the levels of a sweep do so too, and know of output that is not understood', async () => {
  const strange = chunk({ thoughts: 'hm ' })
  const [, ...args] = await serve(strange + ANSWER, chunk({ content: '' }))
  const of = (flag: string): string[] => args.slice(args.indexOf(flag), args.indexOf(flag) + 2)
  const sweep = ['bench', 'sweep', ...of('--url'), '--stream', '--concurrency', '1,2', '--step', '500ms']
  const { stdout } = await run(sweep)
  expect(stdout).toMatch(/^ +1 .* [~!^]*f n=\d+$/m)
  expect(stdout).toMatch(/^ +2 .* n=\d+$/m)
  expect(stdout).toContain('delta.thoughts')
})
