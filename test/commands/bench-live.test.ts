// The live view on a real terminal: what it shows while a run goes on, that it leaves the terminal as it was, after the
// run, after Ctrl-C, and on a terminal that is too small; and that a pipe gets lines as ever.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EXIT } from '../../src/errors.ts'
import type { SimulatedProvider } from '../../src/provider/server.ts'
import { kt } from '../support/kt.ts'
import { quickProvider } from '../support/provider.ts'
import { hasScript, onTerminal, type Shown } from '../support/terminal.ts'

/** Two arms at one provider; the embedded pair where its own words are shown. */
let provider: SimulatedProvider
beforeAll(async () => {
  provider = await quickProvider()
})
afterAll(() => provider.close(0))

const RUN = ['--no-jit-warmup', '--warmup', '2', '--concurrency', '4', '--budget', '500ms', '--inconclusive', 'warn']
const EMBEDDED = ['bench', ...RUN, '--duration', '6s']
const two = (...more: string[]): string[] => {
  return ['bench', '--url', provider.url, '--baseline-url', `${provider.url}?`, ...RUN, ...more]
}
const measuring = ({ onOther, lines }: Shown): boolean => onOther && lines.some((line) => /^pair \d/.test(line))

describe.skipIf(!hasScript)('on a terminal', () => {
  it('shows both arms, the rate, the failures and the interval, and ends with the answer below the shell', async () => {
    const run = onTerminal(EMBEDDED, 80, 24)
    const { lines, cursor } = await run.shows(measuring)
    expect(cursor).toBe(false)
    expect(lines.every((line) => line.length <= 80)).toBe(true)
    expect(lines[0]).toMatch(/^gateway and direct +\d.* s(, .* left)?$/)
    expect(lines[1]).toMatch(/^█*░* +\d+ %$/)
    const text = lines.join('\n')
    expect(text).toMatch(/^load {5}4 in flight asked {3}\d in flight {3}[\d.,]+\/s answered {3}[\d,]+ done$/m)
    expect(text).toMatch(/^failed {3}none$/m)
    expect(text).toMatch(/^gateway P50 +[\d.]+ +[▁-█ ]+$/m)
    expect(text).toMatch(/^direct {2}P50 +[\d.]+ +[▁-█ ]+$/m)
    expect(text).toMatch(/^overhead\.p99, ms, against 500 ms {2}by stamps/m)
    expect(text).toMatch(/^(no verdict yet: (PASS|not in this run)|PASS by now)/m)
    const { code, shown } = await run.ended
    expect(code).toBe(EXIT.passed)
    expect([shown.onOther, shown.cursor]).toEqual([false, true])
    expect(shown.lines.join('\n')).toMatch(/Requests\/sec.*(PASS|INCONCLUSIVE) {2}P99 overhead/s)
    expect(shown.lines.join('\n')).not.toContain('░')
  })

  it('Ctrl-C ends it with the answer so far, on the screen of the shell and with its cursor', async () => {
    const run = onTerminal(two('--duration', '60s'), 120, 40)
    await run.shows(measuring)
    run.press('\u0003')
    const { code, shown } = await run.ended
    expect(code).toBe(EXIT.interrupted)
    expect([shown.onOther, shown.cursor]).toEqual([false, true])
    expect(shown.lines.join('\n')).toContain('Total Requests:')
  })

  it('so does Ctrl-C three times, which waits for nothing', async () => {
    const run = onTerminal(two('--duration', '60s'), 80, 24)
    await run.shows(measuring)
    for (let i = 0; i < 3; i++) run.press('\u0003')
    const { code, shown } = await run.ended
    expect(code).toBe(EXIT.interrupted)
    expect([shown.onOther, shown.cursor]).toEqual([false, true])
  })

  it.each([
    ['too small', [], 80, 12],
    ['--no-live', ['--no-live'], 80, 24],
    ['--json', ['--json'], 80, 24],
  ])('%s: one line, as ever', async (_name, more, columns, rows) => {
    const { shown, written } = await onTerminal(two('--requests', '100', ...more), columns, rows).ended
    expect(written).not.toContain('\u001B[?1049h')
    expect(written).toContain('done')
    expect(shown.cursor).toBe(true)
  })

  it('--live asks for it beside --json too', async () => {
    const { written } = await onTerminal(two('--requests', '400', '--json', '--live'), 80, 24).ended
    expect(written).toContain('\u001B[?1049h')
  })

  it('a sweep shows it at each level, and keeps what it said of them', async () => {
    const run = onTerminal(['bench', 'sweep', '--url', provider.url, '--concurrency', '1,2', '--step', '3s'], 100, 30)
    const { lines } = await run.shows(({ lines: now }) => now[0]?.startsWith('level 2 of 2') === true)
    expect(lines.join('\n')).toMatch(/level 1 of 2, 1 in flight: \d+ requests\/s/)
    const { code, shown } = await run.ended
    expect(code).toBe(EXIT.passed)
    expect(shown.lines.join('\n')).toMatch(/level 1 of 2.*level 2 of 2/s)
  })
})

it('in a pipe there are lines, with --live too', async () => {
  const { code, stderr } = await kt([...EMBEDDED, '--live'])
  expect(code).toBe(EXIT.passed)
  expect(stderr).toMatch(/s left: {2}gateway \d+, direct \d+ done/)
  expect(stderr).not.toContain('\u001B')
})
