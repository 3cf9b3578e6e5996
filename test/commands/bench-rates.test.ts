// What `kt bench` says of what a run carried: its rates, the basis of its tokens, and that it did not reach its rate.
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { httpServer, type TestServer } from '../support/engine.ts'
import { readBench } from '../support/kt.ts'
import { run } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())

let server: TestServer | undefined
afterEach(() => server?.close())

async function answering(body: string, ms = 0): Promise<string> {
  server = await httpServer((request, response) => {
    request.resume().on('end', () => setTimeout(() => response.end(body), ms))
  })
  return server.origin
}

const REASONED = JSON.stringify({
  choices: [{ message: { content: 'one two three' }, finish_reason: 'stop' }],
  usage: {
    prompt_tokens: 10,
    completion_tokens: 100,
    completion_tokens_details: { reasoning_tokens: 90 },
    prompt_tokens_details: { cached_tokens: 4 },
  },
})

describe('kt bench', () => {
  it('reads "rate not reached" where few of the asked requests could leave', async () => {
    const load = ['--rps', '500', '--max-in-flight', '2', '--requests', '60', '--warmup', '0']
    const files = ['--output', dir.file('slow.json'), '--markdown', dir.file('slow.md')]
    const { code, stdout } = await run([
      'bench',
      '--url',
      await answering(REASONED, 40),
      ...load,
      ...files,
      '--threshold',
      'latency.p99<1m',
    ])
    expect(stdout).not.toMatch(/^Client {2}ok/m)
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/only [\d.]+ % of the requested rate was reached/)
    expect(stdout).toMatch(/^INCONCLUSIVE {2}latency\.p99/m)
    expect(code).toBe(4)
    const { client, totals, throughput } = readBench(dir.file('slow.json'))
    expect(client.verdict).not.toBe('ok')
    expect(client.achievedToOffered).toBeLessThan(0.5)
    expect(totals.dueS).toBeCloseTo(0.12, 6)
    expect(throughput.requestsPerSec).toBeLessThan(100)
    expect(readFileSync(dir.file('slow.md'), 'utf8')).toMatch(/% of the requested rate was reached/)
  })

  it('names the parts of the tokens, the drain, and how long it took as a whole', async () => {
    const load = ['--rps', '10', '--requests', '5', '--warmup', '2']
    const { stdout } = await run(['bench', '--url', await answering(REASONED, 400), ...load, '--explain'])
    expect(stdout).toMatch(/Requests\/sec: +[\d.]+ {2}[\d.]+ over all [\d.]+ s, drain included/)
    expect(stdout).toMatch(/Tokens\/sec: .*counted by usage/)
    expect(stdout).toMatch(/of the output [\d.]+\/s hidden reasoning, never sent/)
    expect(stdout).toMatch(/of the input [\d.]+\/s read from a prompt cache/)
    expect(stdout).toMatch(/Duration: +[\d.]+ m?s +measured of [\d.]+ s/)
  })
})
