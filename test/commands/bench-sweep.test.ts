import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { sweepSchema } from '../../src/report/sweep-schema.ts'
import { httpServer, OK_BODY } from '../support/engine.ts'
import { kt, startKt } from '../support/kt.ts'
import { run } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(dir.remove)

test(
  'sweeps the embedded pair: a curve for each number of processes, what passed and what it ' + 'cost, and the report',
  async () => {
    const out = dir.file('s.json')
    const config = dir.file('sweep.yaml')
    writeFileSync(
      config,
      'concurrency: [1, 4]\nstep: 600ms\nwarmup: 5\ninput_tokens: 200\noutput_tokens: 3\nstream: true\nseed: 7\n',
    )
    const flags = [
      '--config',
      config,
      '--gateway-workers',
      '1,2',
      '--seed',
      '2',
      ...['--max-tokens-field', 'max_completion_tokens'],
      '--explain',
      '--output',
      out,
    ]
    const { code, stdout } = await kt(['bench', 'sweep', ...flags])
    expect(code).toBe(0)
    expect(stdout).toMatch(/Frontier, added P99 <= 1/)
    expect(stdout).toMatch(/Knee: /)
    expect(stdout).toMatch(/in flight +input tok\/s +output +bytes\/s +streams/)
    expect(stdout).toMatch(/Scaling over gateway processes[\s\S]*\n +1 +\d+ +[\d,]+ +1\.00x\n +2 +/)
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)

    const report = sweepSchema.parse(JSON.parse(readFileSync(out, 'utf8')))
    expect(report.workload).toMatchObject({ name: 'input-tokens', maxTokensField: 'max_completion_tokens' })
    // The flag wins over the file.
    expect(report.load).toMatchObject({ mode: 'closed', levels: [1, 4], stepS: 0.6, seed: 2 })
    expect(report.load.options).toMatchObject({ input_tokens: 200, output_tokens: 3, stream: true })
    expect(report.overheadSource).toMatch(/^provider-stamped/)
    expect(report.curves.map(({ gatewayWorkers }) => gatewayWorkers)).toEqual([1, 2])
    expect(report.scaling?.map(({ gatewayWorkers }) => gatewayWorkers)).toEqual([1, 2])
    for (const { levels } of report.curves) {
      expect(levels.map(({ level }) => level)).toEqual([1, 4])
      const [one, four] = levels
      expect(four?.achievedRps).toBeGreaterThan(1.5 * (one?.achievedRps ?? Number.NaN))
      expect(one?.overheadMs?.p50).toBeGreaterThan(0)
      for (const level of levels) {
        const { achievedRps, inputTokensPerSec, outputTokensPerSec, bytesPerSec, inFlight } = level
        expect(inputTokensPerSec).toBeGreaterThan(150 * achievedRps)
        expect(outputTokensPerSec).toBeCloseTo(3 * achievedRps, 0)
        expect(bytesPerSec).toBeGreaterThan(100 * achievedRps)
        expect(inFlight?.max).toBe(level.level)
      }
    }
    if (process.platform === 'linux') {
      const [alone, two] = report.curves.map(({ levels }) => levels.at(-1)?.gateway)
      expect(alone?.cpuCores).toBeGreaterThan(0)
      // A primary and two workers, each a Node.
      expect(two?.rssBytes).toBeGreaterThan(1.5 * (alone?.rssBytes ?? Number.NaN))
    }
  },
)

test.each([
  ['levels that fall', ['--rps', '200,100'], 'the levels must rise'],
  ['a level of zero', ['--concurrency', '0,1'], 'at least 1'],
  ['both kinds of load', ['--rps', '1', '--concurrency', '1'], 'exclude each other'],
  ['no threshold', ['--until', 'latency'], "such as 'overhead.p99<7ms'"],
  ['a step without a unit', ['--step', '5'], '--step'],
  ['processes of a foreign gateway', ['--url', 'http://127.0.0.1:9', '--gateway-workers', '2'], 'not with --url'],
  ['a process of the embedded gateway', ['--gateway-pid', '1'], '--gateway-pid goes with --url'],
  ['no process', ['--url', 'http://127.0.0.1:9', '--gateway-pid', 'nginx'], 'must be the id of a process'],
  ['a process that is gone', ['--url', 'http://127.0.0.1:9', '--gateway-pid', '4194304'], 'no process 4194304'],
  ['what a bench refuses too', ['--arrival', 'poisson'], '--arrival goes with an open loop'],
  ['two texts', ['--prompt', 'a', '--workload', 'chat'], 'exclude each other: each says what is sent'],
])('refuses %s', async (_name, args, message) => {
  const { code, stderr } = await run(['bench', 'sweep', ...args])
  expect(stderr).toContain(message)
  expect(code).toBe(2)
})

test('a key of the file that a sweep has not is refused by its name', async () => {
  const config = dir.file('bench.yaml')
  writeFileSync(config, 'concurrencies: 5\n')
  const { code, stderr } = await run(['bench', 'sweep', '--config', config])
  expect(stderr).toContain("unknown key 'concurrencies' (did you mean 'concurrency'?)")
  expect(code).toBe(2)
})

/** A sweep of two levels that Ctrl-C meets in level `cut`, after some of its requests. */
async function cutIn(cut: 1 | 2, ...flags: string[]) {
  const running = { requests: 0, inFlight: 0, most: 0 }
  const inside = Promise.withResolvers<void>()
  const server = await httpServer((request, response) => {
    running.most = Math.max(running.most, ++running.inFlight)
    if (running.most >= cut && ++running.requests > 40) inside.resolve()
    request.resume().on('end', () => setTimeout(() => response.end(OK_BODY), 10))
    response.on('close', () => running.inFlight--)
  })
  const levels = ['--concurrency', '1,2', '--step', cut === 1 ? '60s' : '1s', '--warmup', '0']
  const sweep = startKt(['bench', 'sweep', '--url', server.origin, ...levels, ...flags])
  await inside.promise
  sweep.ctrlC()
  const ended = await sweep.ended
  await server.close()
  return ended
}

test('Ctrl-C in the first level: nothing was measured, and no figure is shown for it', async () => {
  const { code, stdout, stderr } = await cutIn(1)
  expect(stderr).toContain('kt: nothing was measured\n    Let the first level end before Ctrl-C.')
  expect(stderr).not.toMatch(/level 1 of 2.*requests\/s/)
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' })
})

test('Ctrl-C in a later level leaves it out, and table, report and page say so', async () => {
  const [out, html] = [dir.file('cut.json'), dir.file('cut.html')]
  const { code, stdout, stderr } = await cutIn(2, '--output', out, '--html', html)
  expect(code).toBe(130)
  const [curve] = sweepSchema.parse(JSON.parse(readFileSync(out, 'utf8'))).curves
  expect(curve?.levels.map(({ level }) => level)).toEqual([1])
  expect(curve?.cutOff).toEqual({ level: 2, answered: expect.any(Number), why: 'interrupted' })
  expect(curve?.cutOff?.answered).toBeGreaterThan(20)
  const said = `The level of 2 in flight was cut off after ${curve?.cutOff?.answered} answered requests, and is left out.`
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain(said)
  expect(readFileSync(html, 'utf8')).toContain(said)
  expect(stderr).not.toMatch(/level 2 of 2.*requests\/s/)
})
