// kt doctor as a user runs it: the gateway that kt ships, a bad config found by reading and by measuring, severities,
// bad input.
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { diagnose } from '../../src/doctor/doctor.ts'
import { parseDoctorOptions } from '../../src/doctor/options.ts'
import { doctorSchema } from '../../src/report/doctor-schema.ts'
import { kt } from '../support/kt.ts'
import { makeReport } from '../support/make-report.ts'
import { quickProvider } from '../support/provider.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())
const shipped = fileURLToPath(new URL('../../reference-gateway/gateway.yaml', import.meta.url))

const bad = dir.write(
  'bad.yaml',
  `gateway:
  upstream: { keep_alive: { enabled: false } }
  warmup: { enabled: false }
  streaming: { passthrough_chunked: false }
  cache: { enabled: false }
`,
)
const doctor = (...args: string[]) => kt(['doctor', ...args])

describe('kt doctor', () => {
  it('has nothing against the gateway that kt ships, read and measured', async () => {
    const { code, stdout } = await doctor(shipped, '--run', '--json')
    const result = doctorSchema.parse(JSON.parse(stdout))
    expect(result.rules.filter(({ severity }) => severity === 'warning' || severity === 'critical')).toEqual([])
    expect(code).toBe(0)
    const unseen = result.rules.filter(({ opinions }) =>
      opinions.some(({ by, status }) => by === 'measurement' && status === 'not-checked'),
    )
    // On a busy machine ends are as late as tokens, and a hold cannot be told from that.
    const sure = unseen.map(({ rule }) => rule).filter((rule) => rule !== 'held-tokens')
    expect(sure).toEqual(['small-body-limit', 'server-timing-seconds', 'noisy-instrument'])
  })

  it('finds what is wrong in a config by reading it and by measuring, with the patch, in 80 columns', async () => {
    const { code, stdout, stderr } = await doctor(bad, '--run')
    expect({ code, stderr: stderr.replaceAll(/^.*is taken.*\n/gm, '') }).toEqual({ code: 3, stderr: '' })
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    for (const rule of ['no-keep-alive', 'no-warm-up', 'fake-streaming', 'cache-disabled']) {
      const told = stdout.split('\n\n').find((part) => part.includes(`\n          ${rule}\n`)) ?? ''
      expect(told, rule).toMatch(/^WARNING {3}/)
      expect(told, rule).toContain('config, certain: ')
      expect(told, rule).toContain('measured, certain: ')
      expect(told, rule).toMatch(/^ {12}gateway:\n {14}\w+:\n/m)
    }
  })

  it('leaves the exit code to --severity, and takes a report beside a config', async () => {
    const report = dir.write('report.json', JSON.stringify(makeReport({ requests: 100, role: 'gateway' })))
    const critical = await doctor(bad, '--report', report, '--severity', 'critical', '--explain')
    expect(critical.code).toBe(0)
    expect(critical.stdout).toMatch(/new-connection-per-request {2}config: .*\n?.*report: 10 connections/)
    expect((await doctor(bad)).code).toBe(3)
    expect((await doctor(shipped, '--severity', 'info')).code).toBe(0)
  })

  it('will not take the simulated provider for a gateway', async () => {
    const provider = await quickProvider()
    const { code, stderr } = await doctor('--url', provider.url)
    await provider.close(0)
    expect(code).toBe(2)
    expect(stderr).toContain("kt's simulated provider itself")
  })

  it('says what is wrong and what to do, with exit 2 and without a stack', async () => {
    const { code, stdout, stderr } = await doctor(dir.write('other.yaml', 'services: {}'))
    expect(stderr).toMatch(/not the config of a gateway[\s\S]*kt doctor --url/)
    expect(stderr).not.toMatch(/\n\s+at /)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })

  const url = 'http://127.0.0.1:1'
  it.each<[string, Record<string, unknown>, string]>([
    ['nothing', {}, 'nothing to examine'],
    ['a typo', { config: dir.write('typo.yaml', 'gateway: { upstrem: {} }') }, "did you mean 'upstream'?"],
    ['no file', { config: dir.file('none.yaml') }, 'no such file'],
    ['no report', { report: dir.write('page.html', '<html>') }, 'this is a web page'],
    ['--run and --url', { config: bad, run: true, url }, '--run starts a gateway of its own'],
    ['--run without a config', { report: 'r.json', run: true }, '--run needs a config'],
    [
      '--run of another gateway',
      { config: dir.write('kong.yaml', '_format_version: "3.0"'), run: true },
      'is of another',
    ],
    ['a provider without a gateway', { config: bad, 'provider-url': url }, 'names the provider behind --url'],
    ['a provider that is none', { url, 'provider-url': 'http://127.0.0.1:9' }, 'no simulated provider'],
    ['a header of no form', { url, header: ['x'] }, "not of the form 'Name: value'"],
  ])('refuses %s', async (_, request, words) => {
    const hooks = { note: () => {}, interrupt: new AbortController().signal }
    const examined = async () => diagnose(parseDoctorOptions(request), hooks)
    await expect(examined()).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(words),
    })
  })
})
