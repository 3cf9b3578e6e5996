// Two arms in one run: a gateway and its baseline, one address against itself, the two files, thresholds and SLOs.
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EmbeddedPair, startEmbeddedPair } from '../../src/bench/embedded.ts'
import { parseBenchOptions } from '../../src/bench/options.ts'
import { readBench } from '../support/kt.ts'
import { run as kt } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
let pair: EmbeddedPair

beforeAll(async () => {
  pair = await startEmbeddedPair(0, () => {})
})
afterAll(async () => {
  await pair.close()
  dir.remove()
})

const SMALL = ['--requests', '100', '--concurrency', '4', '--max-tokens', '2']

describe('kt bench with two arms', () => {
  it('--baseline-url: both in turns, the same requests; --split writes what compare takes as a pair', async () => {
    const out = dir.file('p.json')
    const args = ['bench', '--url', pair.gatewayUrl, '--baseline-url', pair.providerUrl, ...SMALL]
    const { code, stdout } = await kt([...args, '--output', out, '--split', '--explain'])
    expect(code).toBe(0)
    expect(stdout).toContain('floor (direct)')
    expect(stdout).toContain('The gateway adds ')
    const report = readBench(out)
    expect(report).toMatchObject({ pairing: 'block', name: 'gateway', baseline: { name: 'direct' } })
    expect(report.baseline?.totals).toMatchObject({ sent: 100, successful: 100 })
    const [baseline, gateway] = [dir.file('p.baseline.json'), dir.file('p.gateway.json')]
    expect(readBench(baseline).role).toBe('direct')
    expect(readBench(gateway).role).toBe('gateway')
    const compared = await kt(['bench', 'compare', baseline, gateway])
    expect(compared.code).toBe(0)
    expect(compared.stdout).toContain('mode: overhead')
  })

  it('--until-decided: ends at the analysis that decides, and says which; --requests is the limit', async () => {
    const out = dir.file('d.json')
    const args = ['bench', '--url', pair.gatewayUrl, '--baseline-url', pair.providerUrl, '--concurrency', '2']
    const asked = [...args, '--max-tokens', '2', '--requests', '400', '--until-decided', '--output', out]
    const { code, stdout, stderr } = await kt([...asked, '--threshold', 'latency.p50<1ms', '--explain'])
    expect(code).toBe(3)
    expect(stderr).toContain('Judged after 10, 20, 40, 50 pairs of blocks, until decided: at most 400 requests')
    // 10 pairs decide it on an idle machine.
    const decided = Number(/After (10|20|40) pairs of blocks: FAIL, the run ends here\./.exec(stderr)?.[1])
    expect(decided).toBeGreaterThanOrEqual(10)
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
      new RegExp(`Judged after 10(, 20)?(, 40)? of at most 50 pairs of blocks: decided at ${decided}\\.`),
    )
    const report = readBench(out)
    expect(report.interimAnalyses?.taken.at(-1)).toEqual({ pairs: decided, verdict: 'fail' })
    const sent = decided * 8
    expect(report.totals).toMatchObject({ sent, idleFirst: { sent: decided * 2, failed: 0 } })
    expect(report).toMatchObject({ pairing: 'block', baseline: { totals: { sent } } })
  })

  it(
    '--pairing request: pairs of requests, judged by blocks of pairs; compare takes the halves ' + 'as a pair',
    async () => {
      const out = dir.file('q.json')
      const args = [
        'bench',
        '--url',
        pair.gatewayUrl,
        '--baseline-url',
        pair.providerUrl,
        ...SMALL,
        '--pairing',
        'request',
      ]
      const { code, stdout } = await kt([
        ...args,
        '--threshold',
        'delta.latency.p50<1s',
        '--output',
        out,
        '--split',
        '--explain',
      ])
      expect(code).toBe(0)
      expect(stdout).toContain('in turns by request')
      expect(stdout).toMatch(/PASS {2}delta\.latency\.p50 .*20\s+pairs of blocks/s)
      const report = readBench(out)
      expect(report.pairing).toBe('request')
      expect(report.totals.idleFirst).toBeUndefined()
      for (const arm of [report, report.baseline])
        expect(arm?.blocks.map(({ sent }) => sent)).toEqual(Array(20).fill(5))
      const compared = await kt(['bench', 'compare', dir.file('q.baseline.json'), dir.file('q.gateway.json'), '--json'])
      expect(JSON.parse(compared.stdout)).toMatchObject({ pairing: 'paired', mode: 'overhead' })
    },
  )

  it('two separate files: a gateway that adds 20 ms fails, whichever way the machine drifts', async () => {
    const slow = await startEmbeddedPair(20, () => {})
    try {
      const [direct, through] = [dir.file('direct.json'), dir.file('through.json')]
      for (const [url, out] of [
        [slow.providerUrl, direct],
        [slow.gatewayUrl, through],
      ] as const) {
        const args = ['bench', '--url', url, '--requests', '500', '--concurrency', '4', '--max-tokens', '2']
        expect((await kt([...args, '--output', out])).code).toBe(0)
      }
      const { code, stdout } = await kt(['bench', 'compare', direct, through])
      expect(stdout).toContain('unpaired')
      expect(stdout).toMatch(/^FAIL {2}P99 overhead \d+(\.\d+)? ms \[\S+ \S+\] >= 7 ms/m)
      expect(code).toBe(3)
    } finally {
      await slow.close()
    }
  })

  it('--aa: the noise of the rig, and no verdict', async () => {
    const out = dir.file('aa.json')
    const args = [
      'bench',
      '--url',
      pair.gatewayUrl,
      '--aa',
      '--requests',
      '400',
      '--concurrency',
      '4',
      '--max-tokens',
      '2',
    ]
    const { code, stdout } = await kt([...args, '--output', out, '--explain'])
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /Noise of this rig: two identical arms differ at P99 by .* of overhead .*A\/A\)/,
    )
    expect(code).toBe(0)
    const report = readBench(out)
    expect(report.gate).toBeNull()
    // The second arm is the gateway again: its stamps are no floor.
    expect(report.baseline?.name).toBe('target')
    expect(report.client.floorMs).toBeNull()
    expect(report.noise).toMatchObject({ source: 'aa', pairs: report.blocks.length })
    const judged = await kt([
      'bench',
      '--url',
      pair.gatewayUrl,
      ...SMALL,
      '--noise',
      out,
      '--threshold',
      'errors.rate<90%',
      '--explain',
    ])
    expect(judged.stdout).toMatch(/PASS.*\n(.*\n)*Noise of this rig: .*A\/A\)/s)
    const none = await kt(['bench', '--url', pair.gatewayUrl, '--noise', dir.file('p.gateway.json')])
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('not the report of an A/A run')])
  })

  it('--threshold: gates on what was asked, with its exit code', async () => {
    const args = ['bench', '--url', pair.gatewayUrl, ...SMALL]
    const held = await kt([...args, '--threshold', 'throughput.rps>1'])
    expect(held.stdout).toContain('PASS')
    expect(held.code).toBe(0)
    const broken = await kt([...args, '--threshold', 'throughput.rps>100000'])
    expect(broken.stdout).toContain('FAIL')
    expect(broken.code).toBe(3)
    const typo = await kt([...args, '--threshold', 'latncy.p99<1ms'])
    expect(typo.stderr).toContain("did you mean 'latency.p99'")
    expect(typo.code).toBe(2)
    const without = await kt([...args, '--threshold', 'ttft.p99<1s'])
    expect(without.code).toBe(4)
  })

  it('--slo: judges by the category, and applies its timeout', async () => {
    const out = dir.file('slo.json')
    const { stdout } = await kt(['bench', '--url', pair.gatewayUrl, ...SMALL, '--slo', 'batch', '--output', out])
    const report = readBench(out)
    expect(report.load.timeoutMs).toBe(300_000)
    expect(report.slo?.[0]?.category).toBe('batch')
    expect(stdout).toContain('batch')
    const file = await kt(['bench', '--slo', 'nope.yaml'])
    expect(file.stderr).toContain('cannot read the SLO file nope.yaml: no such file or folder')
    expect((await kt(['slo', 'check', out, '--slo', 'nope'])).stderr).toContain('into a file: --slo-file file.yaml.')
    const unknown = await kt(['bench', '--slo', 'chatshort'])
    expect(unknown.stderr).toContain('chat-short')
    expect(unknown.code).toBe(2)
  })

  it.each([
    ['--baseline-url without --url', ['--baseline-url', 'http://h'], 'goes with --url'],
    [
      '--aa with --baseline-url',
      ['--url', 'http://h', '--baseline-url', 'http://i', '--aa'],
      'Leave --baseline-url out',
    ],
    ['--split without --output', ['--split'], '--split needs --output'],
    ['--split of one arm', ['--url', 'http://h', '--split', '--output', '/tmp/x.json'], 'two arms'],
  ])('refuses %s', async (_name, args, message) => {
    const { code, stderr } = await kt(['bench', ...args])
    expect(stderr).toContain(message)
    expect(code).toBe(2)
    expect(existsSync('/tmp/x.json')).toBe(false)
  })

  it.each<[Record<string, unknown>, string]>([
    [{ url: 'http://h', 'until-decided': true, budget: '7ms' }, 'two arms'],
    [{ 'until-decided': true }, 'something to decide'],
    [{ 'until-decided': true, aa: true, budget: '7ms' }, 'decides nothing'],
    [{ url: 'http://h', pairing: 'request' }, '--pairing needs a run with two arms'],
    [{ pairing: 'second' }, "'second' is none of block, request"],
    [{ pairing: 'request', stages: '10rps@1s' }, 'goes with --pairing block'],
  ])('refuses %o', (values, message) => {
    expect(() => parseBenchOptions({ values })).toThrow(message)
  })
})
