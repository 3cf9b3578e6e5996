// The options of `kt bench` in sections: every contradiction has its message, and all faults are told at once.
import { writeFileSync } from 'node:fs'
import { Parser } from '@oclif/core'
import { afterAll, describe, expect, it } from 'vitest'
import { pacingFlags } from '../../../src/bench/options/load.ts'
import { benchFlags, parseBenchOptions } from '../../../src/bench/options.ts'
import { parseSweepOptions } from '../../../src/bench/sweep-options.ts'
import { readConfig } from '../../../src/cli/config-file.ts'
import { flagsOf } from '../../../src/parse/flags.ts'
import { fromFile, givenOf } from '../../../src/parse/parse-flags.ts'
import { messageOf } from '../../support/refusal.ts'
import { tempDir } from '../../support/temp-dir.ts'

const dir = tempDir()
afterAll(dir.remove)
const refused = (values: Record<string, unknown>) => messageOf(() => parseBenchOptions({ values }))

const url = 'http://127.0.0.1:1'
const pair = { url, 'baseline-url': 'http://127.0.0.1:2' }

describe('each section checks itself', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['target', { url, 'inject-delay': '5ms' }, '--inject-delay goes with the embedded gateway, not with --url'],
    ['target', { url, 'provider-replay': 'c.jsonl' }, '--provider-replay does not go with --url'],
    ['target', { url, 'token-gap': '5ms' }, '--token-gap goes with the embedded provider, not with --url'],
    ['target', { 'baseline-url': url }, '--baseline-url goes with --url'],
    ['target', { ...pair, aa: true }, '--aa measures one address against itself'],
    ['target', { url, connections: '5' }, '--connections goes with --http2'],
    ['target', { url, http2: true, 'no-keepalive': true }, '--no-keepalive does not go with --http2'],
    ['target', { http2: true }, '--http2 goes with --url'],
    ['target', { url, ca: 'ca.pem' }, '--ca goes with an https:// address in --url'],
    ['target', { insecure: true }, '--insecure goes with an https:// address in --url'],
    ['target', { url: 'https://h', ca: 'ca.pem', insecure: true }, '--ca and --insecure exclude each other'],
    ['target', { url: 'http://h/v1/embeddings' }, '--url names the embeddings endpoint, but --endpoint is chat'],
    ['target', { url, 'baseline-url': 'http://h/v1/embeddings' }, '--baseline-url names the embeddings endpoint'],
    ['target', { url: 'http://u:p@h' }, '--url: must not hold a user or password'],
    ['request', { prompt: 'a', workload: 'chat' }, '--prompt and --workload exclude each other'],
    ['request', { prompt: 'a', 'shared-prefix-tokens': '5' }, '--shared-prefix-tokens goes before generated text'],
    ['request', { 'input-tokens': '5', 'shared-prefixes': '5' }, 'says how many, not how long'],
    [
      'request',
      { 'input-tokens': '5', 'shared-prefix-tokens': '1M', 'shared-prefixes': '9' },
      'above 2,000,000 tokens',
    ],
    ['request', { endpoint: 'embeddings', stream: true }, '--stream does not go with --endpoint embeddings'],
    [
      'request',
      { endpoint: 'embeddings', 'output-tokens': '5' },
      '--output-tokens does not go with --endpoint embeddings',
    ],
    ['request', { workload: 'embeddings', 'max-tokens': '5' }, '--max-tokens does not go with --endpoint embeddings'],
    [
      'request',
      { workload: 'embeddings', endpoint: 'chat' },
      'goes to the embeddings endpoint, but --endpoint is chat',
    ],
    ['request', { body: 'no.json', 'max-tokens': '5' }, '--max-tokens does not go with --body'],
    ['request', { 'ttft-timeout': '1s' }, '--ttft-timeout goes with --stream'],
    ['request', { 'idle-timeout': '1s' }, '--idle-timeout goes with --stream'],
    ['load', { rps: '5', concurrency: '5', 'max-in-flight': '5' }, 'both limit what an open loop has in flight'],
    ['load', { stages: '5@1s', concurrency: '5' }, '--stages gives the load by itself'],
    ['load', { stages: '5@1s', requests: '5' }, '--stages gives the duration by itself'],
    ['load', { arrival: 'poisson' }, '--arrival goes with an open loop'],
    ['load', { rps: '5', burstiness: '0.5' }, '--burstiness goes with --arrival gamma'],
    ['load', { rps: '5', 'think-time': '5ms' }, '--think-time goes with a closed loop'],
    ['load', { rps: '5', turns: '3' }, '--rps does not go with conversations (--turns)'],
    ['load', { requests: '5', turns: '3' }, '--requests does not go with conversations (--turns)'],
    ['load', { stages: '5@1s', turns: '3' }, '--stages does not go with conversations (--turns)'],
    ['load', { 'cancel-share': '5%', turns: '3' }, '--cancel-share does not go with conversations (--turns)'],
    ['load', { pairing: 'block', turns: '3' }, '--pairing block does not go with conversations (--turns)'],
    ['load', { 'compare-answers': true, turns: '3' }, '--compare-answers does not go with conversations (--turns)'],
    ['load', { turns: 'file' }, '--turns file plays the rows of a dataset'],
    ['load', { turns: 'some' }, "(or 'file')"],
    ['load', { sessions: '5' }, '--sessions goes with conversations'],
    ['load', { 'session-rate': '5' }, '--session-rate goes with conversations'],
    ['load', { 'session-header': 'x-id' }, '--session-header goes with conversations'],
    ['load', { turns: '3', 'session-header': 'x id' }, '--session-header: must be the name of a header'],
    ['load', { turns: '3', 'max-sessions': '5' }, '--max-sessions goes with --session-rate'],
    ['load', { turns: '3', 'session-rate': '5', concurrency: '5' }, 'an open and a closed loop'],
    ['load', { turns: '5000' }, '--turns: must be at most 4,096'],
    ['load', { turns: '0' }, '--turns: '],
    ['load', { turns: '3', endpoint: 'completions' }, '--turns does not go with --endpoint completions'],
    ['load', { 'think-time': 'lognormal(2s,0.5)' }, 'a distribution of --think-time goes with conversations'],
    ['load', { turns: '3', 'think-time': 'lognormal(2s)' }, "'lognormal(2s)' is not a pause"],
    ['load', { 'think-time': '-2s' }, '--think-time: must not be negative'],
    ['load', { 'cancel-after': '5ms' }, '--cancel-after says when clients leave, not how many'],
    ['load', { 'cancel-share': '100%' }, '--cancel-share: must be above 0 and below 100%'],
    ['load', { 'cancel-share': '10%', 'cancel-after': '0' }, '--cancel-after: must be above 0'],
    ['load', { 'max-in-flight': '5' }, '--max-in-flight goes with an open loop'],
    ['load', { pairing: 'request', stages: '5rps@1s' }, '--stages goes with --pairing block'],
    ['load', { url, pairing: 'block' }, '--pairing needs a run with two arms'],
    ['load', { url, 'until-decided': true, budget: '7ms' }, '--until-decided needs a run with two arms'],
    ['load', { aa: true, 'until-decided': true }, '--until-decided does not go with --aa'],
    ['verdict', { 'until-decided': true }, '--until-decided needs something to decide'],
    ['verdict', { aa: true, noise: 'aa.json' }, '--aa measures the noise itself'],
    ['verdict', { url, 'max-regression': '10%' }, '--max-regression needs a run with two arms'],
    ['verdict', { threshold: ['overhed.p99<7ms'] }, "--threshold: 'overhed.p99<7ms': there is no metric"],
    ['verdict', { ...pair, 'max-regression': 'much' }, "--max-regression: 'much' is neither a duration nor a share"],
    ['output', { split: true }, '--split needs --output'],
    ['output', { url, split: true, output: 'r.json' }, '--split needs a run with two arms'],
    ['output', { junit: 'r.xml' }, '--junit writes verdicts, and nothing is judged'],
    ['output', { junit: '-', samples: '-', budget: '7ms' }, '--samples and --junit both write to stdout'],
  ])('%s: %o', (_section, values, message) => {
    const told = refused(values)
    expect(told).toContain(message)
    // What is wrong, and what to do next.
    expect(told.split('\n').length).toBeGreaterThanOrEqual(2)
  })

  it.each<[string, Record<string, unknown>]>([
    ['the embedded pair', { 'inject-delay': '5ms', 'token-gap': '5ms' }],
    ['two arms', { ...pair, pairing: 'request', 'max-regression': '10%', split: true, output: 'r.json' }],
    ['an open loop', { url, stages: '10rps@1s', arrival: 'gamma', burstiness: '0.5', 'max-in-flight': '9' }],
    ['an open loop with a cap', { url, rps: '5', concurrency: '5' }],
    ['a stream', { url, stream: true, 'ttft-timeout': '1s', 'idle-timeout': '1s' }],
    ['a verdict', { 'until-decided': true, threshold: ['overhead.p99<7ms'], junit: 'r.xml' }],
  ])('%s is accepted', (_what, values) => {
    expect(refused(values)).toBe('accepted')
  })
})

describe('all at once', () => {
  it('values and contradictions of every section, each with its next step', () => {
    const told = refused({
      url: 'ftp://h',
      prompt: 'a',
      workload: 'chat',
      requests: '0',
      rps: '5',
      concurrency: '5',
      'max-in-flight': '5',
      threshold: ['foo<1'],
      aa: true,
      noise: 'aa.json',
      split: true,
    })
    expect(told.split('\n').map((line) => line.trimStart())).toEqual([
      '--url: must begin with http:// or https://, not ftp:',
      'Give a whole address such as http://127.0.0.1:41002/v1/chat/completions.',
      '--prompt and --workload exclude each other: each says what is sent',
      'Keep one of them.',
      '--requests: must be a whole number of at least 1, not 0',
      '--max-in-flight and --concurrency both limit what an open loop has in flight',
      'Leave one of them out.',
      "--threshold: 'foo<1': there is no metric 'foo'",
      ...(
        told
          .match(/Metrics there are:\n(?: {8}.*\n)+/)?.[0]
          .trimEnd()
          .split('\n') ?? []
      ).map((line) => line.trimStart()),
      '--aa measures the noise itself',
      'Leave --noise out.',
      '--split needs --output',
      'Give --output r.json: r.baseline.json and r.gateway.json are written beside it.',
      "See 'kt bench --help'.",
    ])
  })

  it('what several faults advise alike is said once', () => {
    expect(refused({ url, pairing: 'block', split: true, output: 'r.json' })).toBe(
      '--pairing needs a run with two arms\n    --split needs a run with two arms\n' +
        'Give --baseline-url too, or leave --url out.',
    )
  })

  it('a faulty value is told as such, and contradicts nothing', () => {
    expect(refused({ rps: 'abc', arrival: 'poisson', concurrency: '5' })).toBe(
      "--rps: 'abc' is not a rate such as '100' or '0.5'\nSee 'kt bench --help'.",
    )
  })

  it('a config file and the flags beside it', () => {
    const path = dir.file('bench.yaml')
    writeFileSync(path, 'requests: -1\ninput_tokens: normal(5,-1)\naa: true\n')
    const { values, file } = readConfig(
      path,
      'bench',
      [{ id: 'bench', flags: { 'no-config': {}, ...benchFlags } }],
      () => [],
    )
    const flags = fromFile({ ...values, rps: '0', noise: 'aa.json' }, file)
    const told = messageOf(() => parseBenchOptions(givenOf(flags)))
    expect(told).toContain(`${path}: requests: must be a whole number of at least 1, not -1`)
    expect(told).toContain(`${path}: input_tokens: the standard deviation`)
    expect(told).toContain('--rps: must be above 0, not 0')
    expect(told).toContain('--aa measures the noise itself')
  })

  it('a sweep: its levels, and what it shares with a bench', () => {
    const told = messageOf(() =>
      parseSweepOptions({
        values: { rps: '5,3', step: '0s', 'gateway-workers': '1,99', timeout: 'x', http2: true, 'think-time': '5ms' },
      }),
    )
    expect(told).toContain('--rps: the levels must rise')
    expect(told).toContain('--step: must be above 0, not 0s')
    expect(told).toContain('--gateway-workers: at most 64')
    expect(told).toContain("--timeout: 'x' is not a duration")
    expect(told).toContain('--http2 goes with --url')
    // The kind of load is not known.
    expect(told).not.toContain('--think-time')
    expect(told).toContain("See 'kt bench sweep --help'.")
  })
})

describe('the sections', () => {
  it('hold what their own flags say, and no more', () => {
    const values = { url, stream: true, model: 'm', rps: '50', budget: '7ms', output: 'r.json' }
    const { target, request, load, verdict, output } = parseBenchOptions({ values })
    expect(target.at).toMatchObject({ origin: url, path: '/v1/chat/completions' })
    expect(request).toMatchObject({ endpoint: 'chat', model: 'm', stream: true })
    expect(load.rps).toBe(50)
    expect(verdict.budget).toBe(7)
    expect(output).toMatchObject({ output: 'r.json', taken: undefined })
    const names = [target, load, verdict, output].flatMap((section) => Object.keys(section))
    expect(new Set(names).size).toBe(names.length)
  })

  it('stages give the duration', () => {
    expect(parseBenchOptions({ values: { stages: '10rps@1s,20rps@2s' } }).load.duration).toBe(3_000)
  })

  it.each([
    ['--rehearsal', true],
    ['--jit-warmup', true],
    ['--no-rehearsal', false],
    ['--no-jit-warmup', false],
  ])('%s has two names', async (typed, expected) => {
    const { flags } = await Parser.parse([typed], { flags: flagsOf(pacingFlags), strict: true })
    expect(flags['jit-warmup']).toBe(expected)
  })
})
