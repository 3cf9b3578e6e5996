// What `kt bench` itself leaves for CI: the same files, summary and annotations as `kt bench compare`.
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { httpServer, OK_BODY } from '../support/engine.ts'
import { AT_ONCE, run } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
let asked = 0
const server = await httpServer((request, response) => {
  const broken = request.url?.startsWith('/dead') || (request.url?.startsWith('/flaky') && asked++ % 2 === 0)
  request.resume().on('end', () => response.writeHead(broken ? 500 : 200).end(broken ? '{}' : OK_BODY))
})
afterAll(async () => {
  await server.close()
  dir.remove()
})

const bench = (path: string, args: string[], env = {}) =>
  run(['bench', '--url', `${server.origin}${path}/v1/chat/completions`, '--requests', '200', ...AT_ONCE, ...args], env)

describe('kt bench in CI', () => {
  it('leaves JUnit, Markdown, a summary and annotations of what failed, and JSON alone on stdout', async () => {
    const files = ['--junit', dir.file('kt.xml'), '--markdown', dir.file('kt.md'), '--json']
    const judged = ['--threshold', 'errors.rate<1%', '--threshold', 'throughput.rps>1', '--slo', 'batch']
    const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: dir.file('step.md') }
    const { code, stdout, stderr } = await bench('/flaky', [...judged, ...files], env)
    expect(code).toBe(3)
    expect(JSON.parse(stdout).gate.checks).toHaveLength(2)
    expect(stderr).toMatch(/^::error title=kt bench::FAIL {2}errors\.rate 50 %25/m)
    // Two thresholds and the goodput of the category.
    const xml = readFileSync(dir.file('kt.xml'), 'utf8')
    expect(xml).toMatch(/<testsuites name="kt bench" tests="3" failures="2"/)
    expect(xml).toContain('<testcase classname="kt bench" name="errors.rate &lt; 1 %"')
    expect(xml).toContain('<testcase classname="kt bench" name="throughput.rps &gt; 1.00 a second"')
    const markdown = readFileSync(dir.file('kt.md'), 'utf8')
    expect(markdown).toContain('❌ **FAIL** errors.rate')
    expect(markdown).toContain('200 requests')
    expect(markdown).toContain('| Latency |')
    expect(readFileSync(dir.file('step.md'), 'utf8')).toContain('## kt bench')
  })

  it('takes a threshold on goodput by the targets of --slo', async () => {
    const asked = ['--slo', 'batch', '--threshold', 'goodput>90%', '--inconclusive', 'warn', '--json']
    const { code, stdout } = await bench('', asked)
    expect(JSON.parse(stdout).gate.checks).toMatchObject([{ metric: 'goodput', value: 1 }])
    expect(code).toBe(0)
  })

  it('warns of what is inconclusive when asked to, and skips it', async () => {
    const unknown = ['--threshold', 'ttft.p99<1s', '--junit', dir.file('w.xml')]
    expect((await bench('', unknown)).code).toBe(4)
    expect(readFileSync(dir.file('w.xml'), 'utf8')).toContain('errors="1" skipped="0"')
    expect((await bench('', [...unknown, '--inconclusive', 'warn'])).code).toBe(0)
    expect(readFileSync(dir.file('w.xml'), 'utf8')).toContain('errors="0" skipped="1"')
  })

  it('never passes a run without an answer, warned or not', async () => {
    const { code, stdout } = await bench('/dead', ['--budget', '7ms', '--inconclusive', 'warn'])
    expect(code).toBe(4)
    expect(stdout).toMatch(/^INCONCLUSIVE {2}Every request failed: 10 x KT_HTTP_5XX/)
    expect((await bench('/dead', ['--threshold', 'errors.rate<0.1%'])).code).toBe(3)
  })

  it('shows a summary without a verdict when nothing was asked', async () => {
    const { code } = await bench('', ['--markdown', dir.file('plain.md')])
    expect(code).toBe(0)
    expect(readFileSync(dir.file('plain.md'), 'utf8')).not.toMatch(/PASS|FAIL|INCONCLUSIVE/)
  })

  it.each<[string, string[], string]>([
    [
      'JUnit without anything judged',
      ['--junit', dir.file('none.xml')],
      '--junit writes verdicts, and nothing is judged',
    ],
    ['Markdown in no folder', ['--markdown', dir.file('none/kt.md')], 'cannot write'],
    ['a budgets file with an unknown component', ['--budgets', dir.file('b.yaml')], "did you mean 'routing'?"],
    ['another way to be inconclusive', ['--inconclusive', 'maybe'], 'maybe'],
    ['a threshold with a typo', ['--threshold', 'overhed.p99<7ms'], "did you mean 'overhead.p99'?"],
  ])('refuses %s with exit 2, before anything is sent', async (_, args, words) => {
    writeFileSync(dir.file('b.yaml'), 'total: 7ms\ncomponents: { routng: 1ms }\n')
    const { code, stdout, stderr } = await bench('', args)
    expect(stderr).toContain(words)
    expect(stderr).not.toMatch(/\n\s+at /)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })

  it('holds the budgets of a file against what it measured', async () => {
    writeFileSync(dir.file('own.yaml'), 'total: 3ms\n')
    const { code, stdout } = await bench('', ['--budgets', dir.file('own.yaml'), '--json'])
    expect(code).toBe(4)
    expect(JSON.parse(stdout).gate.checks).toMatchObject([{ metric: 'overhead.p99', limit: 3 }])
  })
})
