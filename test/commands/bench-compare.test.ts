import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { kt } from '../support/kt.ts'
import { around, fixed, makeReport } from '../support/make-report.ts'
import { run } from '../support/run-command.ts'
import { mkfifo, posix } from '../support/special-files.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())

const small = { requests: 1_000, blocks: 20 }
const baseline = dir.write('baseline.json', makeReport({ ...small, added: around(0.2), role: 'direct' }))
const quick = dir.write('quick.json', makeReport({ ...small, seed: 2, role: 'gateway' }))
const slow = dir.write('slow.json', makeReport({ ...small, seed: 3, role: 'gateway', added: fixed(20) }))
const few = dir.write('few.json', makeReport({ requests: 50, blocks: 10, seed: 4, role: 'gateway' }))

const compare = (...args: string[]) => run(['bench', 'compare', ...args])

describe('kt bench compare', () => {
  it('passes with exit 0, in plain text within 80 columns, on stdout alone', async () => {
    const { code, stdout, stderr } = await compare(baseline, quick)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^PASS {2}P99 overhead \d\.\d\d ms \[\S+ \S+\] < 7 ms/m)
    expect(stdout).not.toContain('\u001b')
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  it('fails with exit 3', async () => {
    const { code, stdout } = await compare(baseline, slow)
    expect(code).toBe(3)
    expect(stdout).toMatch(/^FAIL {2}P99 overhead 20\.0 ms \[\S+ \S+\] >= 7 ms/m)
  })

  it('prints the table of fifty requests and ends with exit 0, or 4 where a limit was given', async () => {
    const { code, stdout } = await compare(baseline, few)
    expect(code).toBe(0)
    expect((await compare(baseline, few, '--budget', '7ms')).code).toBe(4)
    expect((await compare(baseline, few, '--inconclusive', 'fail')).code).toBe(4)
    expect((await compare(baseline, slow)).code).toBe(3)
    expect(stdout).toContain('Latency')
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('about 440 requests would decide it')
    expect((await compare(baseline, few, '--inconclusive', 'warn')).code).toBe(0)
    expect((await compare(baseline, slow, '--inconclusive', 'warn')).code).toBe(3)
  })

  it('takes another budget', async () => {
    expect((await compare(baseline, slow, '--budget', '50ms')).code).toBe(0)
    expect((await compare(baseline, quick, '--budget', '1ms')).code).not.toBe(0)
  })

  it('gives the comparison as JSON, with the same exit', async () => {
    const { code, stdout } = await compare(baseline, slow, '--json')
    expect(code).toBe(3)
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'kt.compare/1',
      mode: 'overhead',
      baseline: { file: baseline },
      gate: { verdict: 'fail', checks: [{ metric: 'overhead.p99', limit: 7, value: 20 }] },
    })
  })

  it.runIf(posix)('reads each file once, so that one may be a pipe, with a page too', async () => {
    const pipe = mkfifo(dir.file('pipe.json'))
    const page = dir.file('of-a-pipe.html')
    // A process of its own: it stops until the pipe is written.
    const [written] = await Promise.all([
      kt(['bench', 'compare', pipe, slow, '--html', page]),
      writeFile(pipe, await readFile(baseline)),
    ])
    expect(written.code).toBe(3)
    expect(await readFile(page, 'utf8')).toContain('data-plot="latency-cdf"')
  })

  it('writes the page alone to stdout where that is asked for, and refuses two of them', async () => {
    const { code, stdout } = await compare(baseline, slow, '--html', '-')
    expect(code).toBe(3)
    expect(stdout).toMatch(/^<!doctype html>/)
    expect(stdout.trimEnd()).toMatch(/<\/html>$/)
    expect(await compare(baseline, slow, '--html', '-', '--junit', '-')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--html and --junit both write to stdout'),
    })
  })

  it('judges nothing with --no-gate', async () => {
    const { code, stdout } = await compare(baseline, slow, '--no-gate')
    expect(code).toBe(0)
    expect(stdout).not.toMatch(/FAIL|PASS|Judged/)
    expect(stdout).toContain('Gateway Overhead:')
  })

  it.each<[string, string[], string]>([
    ['a missing file', [baseline, dir.file('none.json')], 'no such file or folder'],
    ['a web page', [baseline, dir.write('page.json', '<html>')], 'this is a web page'],
    ['half a report', [dir.write('half.json', JSON.stringify(makeReport(small)).slice(0, 5_000)), quick], 'truncated'],
    ['another schema', [baseline, dir.write('sweep.json', { schema: 'kt.sweep/1' })], 'kt.sweep/1'],
    ['one file', [baseline], 'gateway'],
    ['a budget of nothing', [baseline, quick, '--budget', '0'], 'must be above 0'],
    ['a budget without a unit', [baseline, quick, '--budget', '7'], "'7' is not a duration"],
    ['a budget that nobody judges', [baseline, quick, '--no-gate', '--budget', '7ms'], '--no-gate'],
    ['a mistyped flag', [baseline, quick, '--buget', '7ms'], 'Did you mean --budget?'],
  ])('refuses %s with exit 2, without a stack', async (_, args, words) => {
    const { code, stdout, stderr } = await compare(...args)
    expect(stderr).toContain(words)
    expect(stderr).not.toMatch(/\n\s+at /)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })
})
