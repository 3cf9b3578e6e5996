// A plan calibrated from real runs through the reference gateway, and held against a second run of it.
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type KtProcess, kt, startKt, tempDir } from '../support/kt.ts'

let dir: ReturnType<typeof tempDir>
const started: KtProcess[] = []

/** Starts a server of kt's; resolves to its URL. */
async function serve(...args: string[]): Promise<string> {
  const server = startKt([...args, '--port', '0', '--json'])
  started.push(server)
  return new Promise((resolve, reject) => {
    server.child.stdout?.on('data', (text: string) => {
      const url = /"url":"([^"]+)"/.exec(text)?.[1]
      if (url) resolve(url)
    })
    server.ended.then(({ stderr }) => reject(new Error(stderr)))
  })
}

beforeAll(() => {
  dir = tempDir()
})
afterAll(async () => {
  for (const { child } of started) child.kill('SIGTERM')
  await Promise.all(started.map(({ ended }) => ended))
  dir.remove()
})

test('two mixes calibrate it, a second run confirms it', async () => {
  const provider = await serve('provider', 'start', '--ttft', '5ms', '--token-gap', '10ms', '--tokens', '30')
  writeFileSync(
    dir.file('gateway.yaml'),
    `gateway: { port: 0, providers: [{ name: openai, base_url: "${provider.replace(/\/v1.*$/, '')}/v1", models: ["*"] }] }`,
  )
  const gateway = await serve('gateway', 'start', '--config', dir.file('gateway.yaml'))
  const bench = async (output: string, ...args: string[]): Promise<string> => {
    const { code, stderr } = await kt([
      'bench',
      '--url',
      `${gateway.replace(/\/v1.*$/, '')}/v1/chat/completions`,
      '--stream',
      '--duration',
      '3s',
      '--concurrency',
      '20',
      '--output',
      dir.file(output),
      ...args,
    ])
    expect([0, 4], stderr).toContain(code)
    return dir.file(output)
  }
  const short = await bench('short.json', '--max-tokens', '30')
  const long = await bench('long.json', '--max-tokens', '10', '--prompt', 'word '.repeat(2_000))
  const from = ['--from-bench', short, '--from-bench', long]
  const plan = await kt(['plan', '--input-peak', '80k', '--output-peak', '10k', ...from])
  expect(plan.stderr).toBe('')
  expect(plan.stdout).toMatch(/^\d+ workers? \(\d+(?:-\d+)?\); /)
  expect(plan.stdout).toMatch(/output per worker +[\d,]+ tokens\/s +calibrated, 95 %/)
  const again = await bench('again.json', '--max-tokens', '30')
  // The machine is shared and the run short: a tolerance that only a wrong figure exceeds.
  const check = await kt(['plan', 'check', '--against', again, '--tolerance', '60%', ...from])
  expect(check.stdout).toMatch(
    /^PASS: the run confirms the plan; its workers passed \d+(?:\.\d+)? % of what was planned/,
  )
  expect(check.code).toBe(0)
}, 60_000)
