// Verdicts where CI looks for them: JUnit, Markdown, the job summary, annotations.
import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { type CiResult, publish, renderAnnotations } from '../../src/output/ci.ts'
import { renderJunit } from '../../src/output/junit.ts'
import { table } from '../../src/output/markdown.ts'
import type { Check, Gate } from '../../src/report/schema.ts'
import { around, fixed, makeReport } from '../support/make-report.ts'
import { run as kt } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())

const check = (verdict: Check['verdict'], why = 'reasons'): Check => ({
  metric: 'overhead.p99',
  op: '<',
  limit: 7,
  value: verdict === 'fail' ? 20 : 5,
  ci95: null,
  verdict,
  why,
})
const gate = (...checks: Check[]): Gate => ({ verdict: 'fail', checks })

describe('JUnit', () => {
  const suite = (checks: Check[], inconclusive: 'fail' | 'warn' = 'fail') =>
    renderJunit({
      name: 'kt bench compare',
      gate: gate(...checks),
      inconclusive,
      properties: { baseline: 'a & b.json' },
      timestamp: '2026-11-23T10:00:00.000Z',
    })

  it('has a case a check: a breach is a failure, not knowing an error', () => {
    const xml = suite([check('pass'), check('fail'), check('inconclusive')])
    expect(xml).toContain('tests="3" failures="1" errors="1" skipped="0"')
    expect(xml).toContain('<failure type="breach" message="P99 overhead 20.0 ms &gt;= 7 ms (reasons)"/>')
    expect(xml).toContain('<error type="inconclusive"')
    expect(xml).toContain('<property name="baseline" value="a &amp; b.json"/>')
  })

  it('skips what is inconclusive when asked to warn', () => {
    const xml = suite([check('inconclusive')], 'warn')
    expect(xml).toContain('errors="0" skipped="1"')
    expect(xml).toContain('<skipped message=')
  })

  it('stays XML whatever a reason holds', () => {
    const xml = suite([check('fail', `<script> "quoted" 'it' \u0000\u001b[31m & more`)])
    expect(xml).toContain('&lt;script&gt; &quot;quoted&quot; &apos;it&apos; \\x00\\x1b[31m &amp; more')
    expect([...xml].filter((character) => character < ' ' && character !== '\n')).toEqual([])
  })
})

describe('annotations', () => {
  it('are errors for breaches, warnings for doubt, nothing for a pass; one line each', () => {
    expect(
      renderAnnotations('kt: a, b', gate(check('pass'), check('fail', '50 %\nof all'), check('inconclusive'))),
    ).toEqual([
      '::error title=kt%3A a%2C b::FAIL  P99 overhead 20.0 ms >= 7 ms (50 %25\\nof all)',
      '::warning title=kt%3A a%2C b::INCONCLUSIVE  P99 overhead 5.00 ms against 7 ms (reasons)',
    ])
  })
})

describe('Markdown', () => {
  it('keeps a cell a cell', () => {
    expect(table(['a|b', 'c'], [['x\ny', '<b>*1*</b>']])).toBe(
      '| a\\|b | c |\n| :-- | --: |\n| x y | \\<b\\>\\*1\\*\\</b\\> |',
    )
  })
})

describe('publishing', () => {
  const result: CiResult = {
    name: 'kt bench',
    gate: gate(check('fail')),
    properties: {},
    timestamp: '2026-11-23T10:00:00.000Z',
    markdown: () => '# kt',
  }

  it('writes what was asked for, and nothing else', async () => {
    const said: string[] = []
    await publish({ junit: dir.file('a.xml') }, result, {}, (text) => said.push(text))
    expect(readFileSync(dir.file('a.xml'), 'utf8')).toContain('failures="1"')
    expect(said).toEqual([])
  })

  it('appends to the job summary and annotates under GitHub', async () => {
    dir.write('summary.md', 'before\n')
    const said: string[] = []
    await publish({}, result, { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: dir.file('summary.md') }, (text) =>
      said.push(text),
    )
    expect(readFileSync(dir.file('summary.md'), 'utf8')).toBe('before\n# kt\n')
    expect(said).toEqual(['::error title=kt bench::FAIL  P99 overhead 20.0 ms >= 7 ms (reasons)\n'])
  })

  it('does not lose a verdict over a summary that cannot be written', async () => {
    const said: string[] = []
    await publish({}, result, { GITHUB_STEP_SUMMARY: dir.path }, (text) => said.push(text))
    expect(said.join()).toContain('could not append')
  })
})

describe('kt bench compare in CI', () => {
  const small = { requests: 1_000, blocks: 20 }
  const baseline = dir.write('baseline.json', makeReport({ ...small, added: around(0.2), role: 'direct' }))
  const slow = dir.write('slow.json', makeReport({ ...small, seed: 3, role: 'gateway', added: fixed(20) }))
  const old = dir.write('old.json', makeReport({ ...small, seed: 4, role: 'gateway' }))
  const compare = (args: string[], env = {}) => kt(['bench', 'compare', ...args], env)

  it('leaves JUnit, Markdown, a summary and an annotation, and JSON alone on stdout', async () => {
    const summary = dir.file('step.md')
    const args = [
      baseline,
      slow,
      '--json',
      '--junit',
      dir.file('kt.xml'),
      '--markdown',
      dir.file('kt.md'),
      '--threshold',
      'errors.rate<1%',
      '--budget',
      '7ms',
    ]
    const { code, stdout, stderr } = await compare(args, { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary })
    expect(code).toBe(3)
    expect(JSON.parse(stdout).gate.checks).toHaveLength(2)
    expect(stderr).toMatch(/^::error title=kt bench compare::FAIL {2}P99 overhead 20\.0 ms \[20\.0, 20\.0\] >= 7 ms/)
    expect(readFileSync(dir.file('kt.xml'), 'utf8')).toContain('tests="2" failures="1" errors="0"')
    const markdown = readFileSync(dir.file('kt.md'), 'utf8')
    expect(markdown).toMatch(/❌ \*\*FAIL\*\* P99 overhead 20\.0 ms .*\\>= 7 ms/)
    expect(markdown).toContain('| latency.p99 |')
    expect(readFileSync(summary, 'utf8')).toContain('kt bench compare')
  })

  it('fails a regression that is far under the budget', async () => {
    const { code, stdout } = await compare([old, slow])
    expect(code).toBe(3)
    expect(stdout).toContain('mode: regression (both were measured through a gateway)')
    expect((await compare([old, slow, '--max-regression', '50ms'])).code).toBe(0)
  })

  it.each<[string, string[], string]>([
    ['a typo in a threshold', [baseline, slow, '--threshold', 'overhed.p99<7ms'], "did you mean 'overhead.p99'?"],
    ['a budget in mode regression', [old, slow, '--budget', '7ms'], 'does not go with mode regression'],
    ['a regression in mode overhead', [baseline, slow, '--max-regression', '10%'], 'does not go with mode overhead'],
    ['a limit that is none', [old, slow, '--max-regression', '10'], 'neither a duration nor a share'],
    [
      'a budgets file with an unknown component',
      [baseline, slow, '--budgets', dir.write('b.yaml', { total: '7ms', components: { routng: '1ms' } })],
      "did you mean 'routing'?",
    ],
    ['a mode that is none', [old, slow, '--mode', 'both'], 'overhead'],
    ['a JUnit file in no folder', [old, slow, '--junit', dir.file('none/kt.xml')], 'cannot write'],
    ['one file with one arm', [old], 'holds one arm'],
  ])('refuses %s with exit 2', async (_, args, words) => {
    const { code, stdout, stderr } = await compare(args)
    expect(stderr).toContain(words)
    expect(stderr).not.toMatch(/\n\s+at /)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })

  it('takes a metric without samples for inconclusive, exit 4', async () => {
    const { code, stdout } = await compare([baseline, slow, '--threshold', 'ttft.p99<1s'])
    expect(code).toBe(4)
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      'INCONCLUSIVE ttft.p99 (no samples of ttft in this run: it needs --stream)',
    )
  })

  it('never passes a run without a single answer, warned or not', async () => {
    const dead = dir.write('dead.json', makeReport({ requests: 200, role: 'gateway', failures: { KT_CONNECT: 10 } }))
    const { code, stdout } = await compare([baseline, dead, '--inconclusive', 'warn'])
    expect(code).toBe(4)
    expect(stdout).toContain('every request through the gateway failed')
  })

  it('compares the two arms of one file', async () => {
    const both = dir.write(
      'both.json',
      makeReport({ ...small, read: [], added: fixed(1), direct: { ...small, read: [], added: around(0.2) } }),
    )
    const { code, stdout } = await compare([both])
    expect(code).toBe(0)
    expect(stdout).toContain('paired')
  })
})
