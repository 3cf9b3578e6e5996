// Every `sh` block of the README is run: the commands as they stand, with the two addresses replaced by a provider and a gateway
// started here, the minute of the open loop shortened, and runs of the embedded pair that name no length kept to 100 requests.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type EmbeddedPair, startEmbeddedPair } from '../../src/bench/embedded.ts'
import { kt, startKt, tempDir } from '../support/kt.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const readme = readFileSync(`${root}README.md`, 'utf8')
const dir = tempDir()
let pair: EmbeddedPair

beforeAll(async () => {
  pair = await startEmbeddedPair(0, () => {})
})
afterAll(async () => {
  await pair.close()
  dir.remove()
})

/** The commands of all `sh` blocks, continued lines joined. */
const commands = [...readme.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block = '']) =>
  block
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== ''),
)

/** Splits as a shell does, for the two kinds of quotes that the README uses. */
function words(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

function here(word: string): string {
  return word
    .replace('https://api.openai.com', pair.providerUrl)
    .replace('http://localhost:41002', pair.gatewayUrl)
    .replace('$OPENAI_API_KEY', 'a-test-key')
    .replace(/^60s$/, '2s')
    .replace(/^reference-gateway\//, `${root}reference-gateway/`)
}

describe('README', () => {
  test('has the examples of every command', () => {
    expect(commands.length).toBeGreaterThanOrEqual(11)
    for (const name of ['kt bench', 'kt bench compare', 'kt plan', 'kt provider start', 'kt gateway start']) {
      expect(commands.some((command) => command.startsWith(name))).toBe(true)
    }
  })

  test.each(commands)('%s', async (command) => {
    const [program, ...args] = words(command).map(here)
    expect(program).toBe('kt')
    if (args[1] === 'start') {
      // Nor the admin port of the config, which another gateway on this machine may hold.
      const ports = ['--port', '0', ...(args[0] === 'gateway' ? ['--admin-port', '0'] : [])]
      const server = startKt([...args, ...ports], {}, dir.path)
      await server.saidOnStdout(/listening on http:\/\/127\.0\.0\.1:\d+/)
      server.child.kill('SIGTERM')
      expect((await server.ended).code).toBe(0)
      return
    }
    const bounded = ['compare', 'history', 'sweep', '--url', '--duration', '--stages', '--requests']
    const embedded = args[0] === 'bench' && !args.some((word) => bounded.includes(word))
    const { code, stdout, stderr } = await kt([...args, ...(embedded ? ['--requests', '100'] : [])], {}, dir.path)
    // The fifty requests of the comparison cannot carry a verdict, as the README says.
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: args[1] === 'compare' ? 4 : 0, stderr: '' })
    expect(stdout.length).toBeGreaterThan(0)
    if (args[1] === 'compare') expect(stdout).toMatch(/INCONCLUSIVE[\s\S]*would decide\s+it/)
  })

  test('what the README prints of the plan is what the plan prints: paste it again where it moved', async () => {
    const [, printed] = /^kt plan .* --explain$[\s\S]*?^```text\n([\s\S]*?)^```/m.exec(readme) ?? []
    const { stdout } = await kt(['plan', '--input-peak', '80M', '--output-peak', '10M', '--explain'])
    expect(printed).toBe(stdout)
  })

  test('quotes the table of exit codes', async () => {
    const { EXIT } = await import('../../src/errors.ts')
    const quoted = [...readme.matchAll(/^\| (\d+) \| /gm)].map((match) => Number(match[1]))
    expect(quoted).toEqual(Object.values(EXIT))
  })
})
