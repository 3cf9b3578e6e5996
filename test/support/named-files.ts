/** The files that the examples of --help name, in a folder of a test. */
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { event } from '../reference-gateway/events/support.ts'
import { around, makeReport } from './make-report.ts'
import { root } from './pages.ts'
import { run } from './run-command.ts'
import type { tempDir } from './temp-dir.ts'
import { azureTrace } from './traces.ts'

const TEXTS: Readonly<Record<string, string>> = {
  'gateway.yaml': 'gateway: { cache: { enabled: true } }\n',
  'kong.yaml': '_format_version: "3.0"\nplugins: [{ name: ai-proxy }]\n',
  'my-slo.yaml': 'categories: { search: { p99: 2s, timeout: 5s } }\n',
  'my-provider.yaml': readFileSync(join(root, 'profiles/providers/instant.yaml'), 'utf8'),
  'cassette.jsonl': readFileSync(join(root, 'fixtures/cassettes/simulated.jsonl'), 'utf8'),
  'prices.yaml': 'unit: USD/hour\nregion: eu-central-1\ndate: 2026-11-01\nprices: { c6i.4xlarge: 0.776 }\n',
}

export async function makeNamedFiles(dir: ReturnType<typeof tempDir>): Promise<void> {
  for (const [name, text] of Object.entries(TEXTS)) dir.write(name, text)
  cpSync(azureTrace('conv'), dir.file('trace.csv'))
  const pair = { requests: 2_000, runId: 'a-pair', stream: true }
  const added = { added: around(1), read: ['provider-stamped' as const] }
  const direct = makeReport({ ...pair, role: 'direct', arm: 'direct', read: ['provider-stamped'] })
  const gateway = makeReport({ ...pair, ...added, arm: 'gateway' })
  const reports = { baseline: direct, gateway, old: gateway, new: makeReport({ ...pair, ...added, seed: 2 }) }
  for (const [name, report] of Object.entries(reports)) dir.write(`${name}.json`, report)
  mkdirSync(dir.file('reports'))
  for (const name of ['report', 'reports/one', 'reports/two']) dir.write(`${name}.json`, gateway)
  dir.write('events.ndjson', `${JSON.stringify(event())}\n`)
  const short = ['--input-tokens', '20', '--output-tokens', '20']
  await sweep(dir, 'first', ...short)
  cpSync(dir.file('first.json'), dir.file('chat.json'))
  await sweep(dir, 'second', ...short, '--gateway-workers', '2')
  await sweep(dir, 'long', '--input-tokens', '2000', '--output-tokens', '10')
  const plan = await run(['plan', '--input-peak', '80M', '--output-peak', '10M', '--json'])
  dir.write('plan.json', plan.stdout)
}

/** A real run of the embedded gateway: a plan rests on what it measured. */
async function sweep(dir: ReturnType<typeof tempDir>, name: string, ...size: string[]): Promise<void> {
  const load = ['--stream', '--token-gap', '15ms', '--concurrency', '8,24', '--step', '600ms', '--warmup', '8']
  const report = ['--no-jit-warmup', '--output', dir.file(`${name}.json`)]
  const { code, stderr } = await run(['bench', 'sweep', ...load, ...size, ...report])
  expect(code, stderr).toBe(0)
}
