// The gateway as the performance guide writes it, for benches and the gate: reference-gateway/gateway.yaml as it ships,
// two input policies beside its two output policies, events to a file, over HTTP/2 before the simulated provider.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { startPair } from '../../../dist/src/bench/embedded.js'
import { policies } from './measure.js'

const SHIPPED = fileURLToPath(new URL('../../../reference-gateway/gateway.yaml', import.meta.url))
const TTFT = 'lognormal(100ms,0.3)'

/** Writes the config into `folder`. */
export function guideFile(folder, { input = true } = {}) {
  const file = join(folder, 'guide.yaml')
  const eventFile = join(folder, 'events.ndjson')
  const { gateway, policies: output } = parse(readFileSync(SHIPPED, 'utf8'))
  const config = {
    gateway: { ...gateway, admin_port: 0, events: { file: { path: eventFile } } },
    policies: [...(input ? policies({ input: true }).slice(0, 2) : []), ...output],
  }
  writeFileSync(file, stringify(config))
  return { file, eventFile }
}

/** Starts both, calls `use` with them, and stops them. `events()` reads the events so far. */
export async function withGuide(use, { gap = '20ms', input = true, realtime = false, flags = [] } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'kt-guide-'))
  const { file, eventFile } = guideFile(folder, { input })
  const pair = await startPair(
    ['--http2', '--ttft', TTFT, '--token-gap', gap],
    (provider) => ['--config', file, '--upstream', `${provider}/v1`, ...flags],
    (line) => process.stderr.write(`${line}\n`),
    realtime,
  )
  const events = () =>
    readFileSync(eventFile, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  try {
    return await use({ ...pair, folder, events })
  } finally {
    await pair.close()
    rmSync(folder, { recursive: true })
  }
}
