// Whatever a target, a name, a file or the command line holds, kt shows it and is not steered by it: no control
// character reaches a terminal, a log, JSON, Markdown, XML or an annotation raw, and no line is somebody else's
// command.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, afterEach, expect, it } from 'vitest'
import { httpServer, OK_BODY, type TestServer } from '../support/engine.ts'
import { fixed, makeReport } from '../support/make-report.ts'
import { run } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(dir.remove)

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const NASTY =
  'x\u001b[2J\u001b]0;owned\u0007\u001b[32mSuccessful 100\u001b[0m\r::error::forged\n::set-output name=a::b\n' +
  '\u009b2J \u202e \u2028 \u007f </system-out> | a `b` [c](d) <b>'

const RAW = /[^\P{Cc}\n]|[\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u
const COMMAND = /^\s*(?:::(?!(?:error|warning) title=)|##\[)/m

function expectSafe(...texts: string[]): void {
  for (const text of texts) {
    expect(text).not.toMatch(RAW)
    expect(text).not.toMatch(COMMAND)
  }
}

async function answering(status: number, body: string, headers: Record<string, string> = {}): Promise<string> {
  server = await httpServer((request, response) => {
    request.resume()
    request.on('end', () => response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body))
  })
  return server.origin
}

it("the target's words are shown, escaped, wherever they go", async () => {
  const url = await answering(503, JSON.stringify({ error: { message: NASTY } }))
  const files = { json: dir.file('r.json'), markdown: dir.file('r.md'), junit: dir.file('r.xml') }
  const args = ['bench', '--url', url, '--requests', '5', '--threshold', 'errors.rate<1%', '--output', files.json]
  const { stdout, stderr } = await run([...args, '--markdown', files.markdown, '--junit', files.junit], {
    GITHUB_ACTIONS: 'true',
    GITHUB_STEP_SUMMARY: dir.file('summary.md'),
  })
  expect(stdout).toContain('x\\x1b[2J\\x1b]0;owned\\x07\\x1b[32mSuccessful 100')
  expect(stderr).toMatch(/^::(?:error|warning) title=kt bench::/m)
  expectSafe(stdout, stderr, ...Object.values(files).map((path) => readFileSync(path, 'utf8')))
  expectSafe(readFileSync(dir.file('summary.md'), 'utf8'))
})

it('so are the names in a report of somebody else, in tables, JSON, Markdown and JUnit', async () => {
  const report = makeReport({ requests: 600, added: fixed(2), read: ['provider-stamped'] })
  report.target.model = NASTY
  report.arms[0].gateway = NASTY
  report.arms[0].url = `http://host/${NASTY}`
  report.load.workload.name = NASTY
  const name = `${NASTY.replaceAll('/', '-')}.json`
  mkdirSync(dir.file('reports'))
  writeFileSync(dir.file(name), JSON.stringify(report))
  writeFileSync(dir.file('reports/a.json'), JSON.stringify(report))
  const [markdown, junit] = [dir.file('c.md'), dir.file('c.xml')]
  const published = ['--markdown', markdown, '--junit', junit]
  for (const args of [
    ['bench', 'compare', name, name, ...published],
    ['bench', 'compare', name, name, '--json'],
    ['slo', 'check', name, '--category', 'chat-short', ...published],
    ['bench', 'history', 'reports'],
    ['doctor', name],
  ]) {
    const { stdout, stderr } = await run(args, { GITHUB_ACTIONS: 'true' }, dir.path)
    expectSafe(stdout, stderr)
    if (args[1] !== 'history') expect(stdout + stderr).toContain('x\\')
    // One line of the report cannot become two.
    expect(stdout + stderr).not.toMatch(/^.{0,2}set-output/m)
  }
  for (const path of [markdown, junit]) expectSafe(readFileSync(path, 'utf8'))
  // No cell ends early, and nothing of it becomes markup.
  expect(readFileSync(markdown, 'utf8')).not.toMatch(/(?<!\\)<b>/)
})

it('so is what was typed, and what a config file holds', async () => {
  const config = dir.file('bad.yaml')
  writeFileSync(config, `"${'nasty\\e[2J\\r::error::x\\u202e'}": 1\n`)
  for (const args of [
    ['bench', '--url', `http://[${NASTY}`],
    ['bench', '--threshold', NASTY],
    ['bench', '--config', config],
    ['bench', '--config', NASTY.replaceAll('/', '-')],
    ['bench', '--body', NASTY.replaceAll('/', '-')],
    ['bench', `--${NASTY}`],
    ['bench', NASTY],
    [NASTY],
    ['gateway', 'check', config],
    ['doctor', config],
    ['plan', '--sizing', config],
  ]) {
    const { code, stdout, stderr } = await run(args)
    expect(code, stderr).toBeGreaterThan(0)
    expectSafe(stdout, stderr)
  }
})

it("a gateway's headers steer nothing either", async () => {
  const url = await answering(200, OK_BODY, { server: 'kong/3.9 \u009b2J', 'x-kong-upstream-latency': '1' })
  const { stdout, stderr } = await run(['bench', '--url', url, '--requests', '20', '--model', NASTY])
  expectSafe(stdout, stderr)
  expect(stdout).toContain('\\n::set-output name=a::b')
})

it.each([
  ['as it was sent', (key: string) => key],
  ['URL-encoded', encodeURIComponent],
  ['in base64', (key: string) => Buffer.from(key).toString('base64')],
  ['in base64url', (key: string) => Buffer.from(key).toString('base64url')],
  ['cut off', (key: string) => `${key.slice(0, 14)}...`],
])('a key that the target repeats %s appears nowhere', async (_how, form) => {
  const key = 'sk-proj-a/b+c=dEf:gh~ij=='
  const url = await answering(
    401,
    JSON.stringify({ error: { message: `Incorrect API key: ${form(key)}; that is it` } }),
  )
  const out = dir.file('key.json')
  const files = ['--output', out, '--samples', dir.file('key.ndjson'), '--markdown', dir.file('key.md')]
  const { stdout, stderr } = await run(['bench', '--url', url, '--requests', '3', '--no-validate', ...files], {
    KT_API_KEY: key,
  })
  const validated = await run(['bench', '--url', url, '--requests', '3'], { KT_API_KEY: key })
  const everything = [
    ...[stdout, stderr, validated.stdout, validated.stderr],
    ...[out, dir.file('key.ndjson'), dir.file('key.md')].map((path) => readFileSync(path, 'utf8')),
  ].join('\n')
  expect(stdout).toContain('Incorrect API key: ***')
  expect(everything).not.toContain(form(key).replace('...', ''))
  expect(everything).not.toContain('sk-proj-a')
})

it('a key in Basic credentials is known decoded, too', async () => {
  const header = `Basic ${Buffer.from('user:hunter2-secret').toString('base64')}`
  const url = await answering(401, JSON.stringify({ error: { message: 'user:hunter2-secret is not known' } }))
  const { stdout, stderr } = await run(['bench', '--url', url, '--header', `authorization: ${header}`])
  expect(stdout + stderr).not.toContain('hunter2')
})
