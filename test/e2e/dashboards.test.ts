// The dashboards in examples/grafana/, read strictly by the types that Grafana generates from its own schema.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { needPeer } from '../setup/peers/find.ts'
import { tempDir } from '../support/temp-dir.ts'

const FILES = ['examples/grafana/bench.json', 'examples/grafana/gateway.json']
const BUILDS_WITHIN_MS = 900_000

test(
  "Grafana's schema takes them, and refuses one with a field that it does not know",
  async () => {
    const { command } = await needPeer('grafana-dashboards')
    const said = execFileSync(command, FILES, { encoding: 'utf8' })
    const panels = FILES.map((file) => JSON.parse(readFileSync(file, 'utf8')).panels.length)
    expect(said).toBe(FILES.map((file, index) => `${file}: ${panels[index]} panels\n`).join(''))
    const dir = tempDir()
    const changed = JSON.parse(readFileSync(FILES[0] ?? '', 'utf8'))
    changed.panels[1].nonsense = 1
    writeFileSync(dir.file('changed.json'), JSON.stringify(changed))
    expect(() => execFileSync(command, [dir.file('changed.json')], { stdio: 'pipe' })).toThrow()
    dir.remove()
  },
  BUILDS_WITHIN_MS,
)
