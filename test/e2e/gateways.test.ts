// The configs of docs/gateways.md are started as they stand there, with ports of this machine, and measured: those of
// the gateways that can be fetched as programs. What the page says of the others it says as not run.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SimulatedProvider } from '../../src/provider/server.ts'
import { findPeer } from '../setup/peers/find.ts'
import { freePort } from '../support/free-port.ts'
import { kt, parseBench } from '../support/kt.ts'
import { blocksOf, commandsOf, readPage, wordsOf } from '../support/pages.ts'
import { quickProvider } from '../support/provider.ts'
import { tempDir } from '../support/temp-dir.ts'

const STARTS_WITHIN_MS = 120_000
const PROVIDER_PORT = /\b41001\b/g
const text = readPage('docs/gateways.md')
const dir = tempDir()
let provider: SimulatedProvider

beforeAll(async () => {
  // A gateway that translates drops the stamps that do not stand in the text.
  provider = await quickProvider({ stampInText: true })
})
afterAll(async () => {
  await provider.close()
  dir.remove()
})

const GATEWAYS = [
  { heading: 'LiteLLM', peer: 'litellm', file: 'litellm.yaml', language: 'yaml', port: 4000 },
  { heading: 'Envoy', peer: 'envoy', file: 'envoy.yaml', language: 'yaml', port: 10_000 },
  { heading: 'Portkey', peer: 'portkey', file: undefined, language: '', port: 8787 },
  { heading: 'nginx', peer: 'nginx', file: 'nginx.conf', language: 'nginx', port: 8000 },
] as const

function sectionOf(heading: string): string {
  return text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
}

/** The lines of a section: how the gateway starts, and how it is measured; without prompts. */
function linesOf(section: string): string[][] {
  const [block = ''] = blocksOf(section, 'console')
  return commandsOf(`\`\`\`sh\n${block.replaceAll(/^\$ /gm, '')}\`\`\``).map(wordsOf)
}

/** How the program is started beside what the page says, so that it needs no right and leaves nothing behind. */
const MORE: Readonly<Record<string, string[]>> = {
  envoy: ['--concurrency', '1', '--disable-hot-restart', '--log-level', 'error'],
  nginx: ['-p', dir.path, '-e', 'stderr', '-g', 'daemon off; master_process off; pid nginx.pid;'],
}

/** nginx of Debian keeps what it buffers in a folder of its own, which is there only where it is installed. */
function inFolder(config: string): string {
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const paths = kinds.map((kind) => `${kind}_temp_path ${dir.path};`).join(' ')
  return config.replace('http {', `http { access_log off; ${paths}`)
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

test.for(GATEWAYS)(
  '$heading, as docs/gateways.md has it',
  async ({ heading, peer, file, language, port }, { skip }) => {
    const section = sectionOf(heading)
    const [start = [], ...measures] = linesOf(section)
    expect(measures.length).toBeGreaterThan(0)
    const own = await freePort()
    const here = (given: string): string =>
      given
        .replaceAll(PROVIDER_PORT, String(provider.port))
        .replaceAll(new RegExp(`\\b${port}\\b`, 'g'), String(own))
        .replaceAll('$PWD', dir.path)
    if (file !== undefined) {
      const [config = ''] = blocksOf(section, language)
      expect(config).toContain(`# ${file}`)
      writeFileSync(dir.file(file), inFolder(here(config)))
    }
    const found = await findPeer(peer)
    if (!found.ok) return skip(found.why)
    const { command, args, env } = found.program
    const words = start.slice(start[0] === 'npx' ? 2 : 1).map(here)
    const child = spawn(command, [...args, ...words, ...(MORE[peer] ?? [])], {
      cwd: dir.path,
      env: { ...env, NODE_ENV: 'production' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (part: Buffer) => {
        said = (said + part).slice(-2_000)
      })
    }
    try {
      const until = performance.now() + STARTS_WITHIN_MS
      while (!(await fetch(`http://127.0.0.1:${own}/`).catch(() => undefined))) {
        expect(child.exitCode, said).toBeNull()
        expect(performance.now(), said).toBeLessThan(until)
        await sleep(200)
      }
      for (const measure of measures) {
        const given = measure.slice(1).map(here)
        const less = given.map((word, at) => (given[at - 1] === '--requests' ? '60' : word))
        expect(less.slice(0, 2)).toEqual(['bench', '--url'])
        const { stdout, stderr } = await kt([...less, '--max-tokens', '4', '--no-jit-warmup', '--no-floor', '--json'])
        expect(stdout, stderr + said).not.toBe('')
        const run = parseBench(stdout)
        expect(run.totals, JSON.stringify(run.totals.outcomes) + said).toMatchObject({ sent: 60, successful: 60 })
        expect(run.overhead.map(({ definition }) => definition)).toContain('provider-stamped')
      }
    } finally {
      await stop(child)
    }
  },
)

test('the page says which of its configs were run', () => {
  for (const { heading } of GATEWAYS) expect(text).toContain(heading)
  const [, run = ''] = /Configs of ([\s\S]*?) are started and measured by a test/.exec(text) ?? []
  for (const { heading } of GATEWAYS) expect(run).toContain(heading)
  for (const other of ['Kong', 'Bifrost', 'APISIX']) expect(run).not.toContain(other)
})
