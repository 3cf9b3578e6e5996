import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { around, makeReport } from '../support/make-report.ts'
import { run } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())

const good = dir.write('good.json', makeReport({ requests: 1_000, upstream: around(100) }))
const slow = dir.write('slow.json', makeReport({ requests: 1_000, upstream: around(3_000) }))
const few = dir.write('few.json', makeReport({ requests: 50, blocks: 10 }))
const check = (...args: string[]) => run(['slo', 'check', ...args])

describe('kt slo check', () => {
  it('passes with exit 0, and says how it found the category', async () => {
    const { code, stdout, stderr } = await check(good)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('chat-short, found by endpoint and prompt tokens')
    expect(stdout).toMatch(/Goodput +100 %/)
    expect(stdout).toMatch(/^PASS {2}latency\.p50 .* < 300 ms/m)
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  it('fails with exit 3, is inconclusive with exit 4, or 0 when asked to warn', async () => {
    expect((await check(slow, '--category', 'chat-short')).code).toBe(3)
    expect((await check(few, '--category', 'chat-short')).code).toBe(4)
    expect((await check(few, '--category', 'chat-short', '--inconclusive', 'warn')).code).toBe(0)
  })

  it('never passes a run without a single answer, warned or not', async () => {
    const dead = dir.write('dead.json', makeReport({ requests: 200, failures: { KT_CONNECT: 10 } }))
    const { code, stdout } = await check(dead, '--category', 'batch', '--inconclusive', 'warn')
    expect(code).toBe(4)
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('goodput (no samples: every request failed)')
  })

  it('takes an own file, and gives JSON, JUnit and Markdown', async () => {
    const slo = dir.write('slo.yaml', 'categories: { mine: { p99: 10s, timeout: 20s } }')
    const [junit, markdown] = [dir.file('slo.xml'), dir.file('slo.md')]
    const { code, stdout } = await check(
      slow,
      '--slo',
      slo,
      '--category',
      'mine',
      '--json',
      '--junit',
      junit,
      '--markdown',
      markdown,
    )
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'kt.slo/1',
      categoryBy: 'name',
      verdict: 'pass',
      slo: [{ category: 'mine', verdict: 'pass' }],
    })
    expect(readFileSync(junit, 'utf8')).toContain('<testsuite name="kt slo check" tests="2" failures="0"')
    expect(readFileSync(markdown, 'utf8')).toContain('## kt slo check: mine')
  })

  it.each<[string, string[], string]>([
    ['an unknown category', [good, '--category', 'chat-shrt'], "did you mean 'chat-short'?"],
    ['a file that is none', [dir.write('page.html', '<html>')], 'this is a web page'],
    [
      'an SLO file with a typo',
      [good, '--slo', dir.write('bad.yaml', 'categories: { a: { timeot: 1s } }')],
      "did you mean 'timeout'?",
    ],
    ['no SLO file', [good, '--slo', dir.file('none.yaml')], 'no such file'],
    ['a folder for --junit', [good, '--junit', dir.path], 'it is a folder'],
  ])('refuses %s with exit 2, without a stack', async (_, args, words) => {
    const { code, stdout, stderr } = await check(...args)
    expect(stderr).toContain(words)
    expect(stderr).not.toMatch(/\n\s+at /)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })
})
