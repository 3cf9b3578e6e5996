// kt cache and kt events as a user runs them against a running gateway: the built commands (npm test builds first).
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { gatewayConfigSchema } from '../../reference-gateway/config/config.ts'
import { type RunningGateway, startGateway } from '../../reference-gateway/gateway.ts'
import { cacheClearReport, cacheStatsReport, eventStatsSchema } from '../../src/gateway-cli/answers.ts'
import { eventSchema } from '../../src/wire/gateway-event.ts'
import { event } from '../reference-gateway/events/support.ts'
import { ask, post } from '../reference-gateway/support/harness.ts'
import { answerJson, startUpstream, type Upstream } from '../reference-gateway/support/upstream.ts'
import { startKt } from '../support/kt.ts'
import { run as kt } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const BODY = { model: 'gpt-4o', messages: [], temperature: 0 }
const folder = tempDir()
let provider: Upstream
let gateway: RunningGateway
let admin: string[]

beforeAll(async () => {
  provider = await startUpstream((_request, response) =>
    answerJson(response, { choices: [{ message: { content: 'Hello' } }], usage: { prompt_tokens: 7 } }),
  )
  const config = gatewayConfigSchema({}).parse({
    gateway: {
      port: 0,
      admin_port: 0,
      admin: { token: 't0ken' },
      providers: [{ name: 'openai', base_url: provider.url }],
      warmup: { enabled: false },
      cache: { enabled: true },
    },
  })
  gateway = await startGateway(config)
  admin = ['--admin', gateway.adminUrl ?? '']
})

afterAll(async () => {
  await gateway.close()
  await provider.close()
  folder.remove()
})

const asked = (args: string[]) => kt([...args, ...admin], { KT_ADMIN_TOKEN: 't0ken' })

describe('kt cache', () => {
  test('stats and clear, whole and by model', async () => {
    for (const [model, seed] of [
      ['gpt-4o', 1],
      ['gpt-4o', 1],
      ['gpt-4o', 2],
      ['other', 1],
    ]) {
      await post(gateway, { ...BODY, model, seed })
    }
    const shown = await asked(['cache', 'stats'])
    expect(shown.code).toBe(0)
    expect(shown.stdout).toMatch(
      /^Cache \(memory\)\n {2}entries +3 +of 10,000, .* for 60 min each\n {2}hits +1 +25 % of/,
    )
    expect((await asked(['cache', 'clear', '--model', 'gpt-4o'])).stdout).toBe('cleared 2 entries of gpt-4o\n')
    expect((await asked(['cache', 'clear'])).stdout).toBe('cleared 1 entry\n')
    const stats = JSON.parse((await asked(['cache', 'stats', '--json'])).stdout)
    expect(cacheStatsReport.parse(stats)).toMatchObject({ schema: 'kt.cache.stats/1', entries: 0, misses: 3 })
    const cleared = JSON.parse((await asked(['cache', 'clear', '--json'])).stdout)
    expect(cacheClearReport.parse(cleared)).toEqual({ schema: 'kt.cache.clear/1', cleared: 0 })
  })

  test('what is wrong is said, with what to do: no token, nobody there, somebody else', async () => {
    const refused = await kt(['cache', 'stats', ...admin])
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toMatch(
      /^kt: the gateway at http:\S+ wants its admin token\n {4}Set it as KT_ADMIN_TOKEN\.\n$/,
    )
    const nobody = await kt(['cache', 'clear', '--admin', 'http://127.0.0.1:1'])
    expect(nobody.code).toBe(4)
    expect(nobody.stderr).toMatch(
      /^kt: no gateway answers at http:\/\/127\.0\.0\.1:1 .*\n {4}Start one \(kt gateway start\)/,
    )
    const foreign = await kt(['cache', 'stats', '--admin', provider.url])
    expect(foreign).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("is not the admin port of kt's reference gateway"),
    })
    const noUrl = await kt(['cache', 'stats', '--admin', 'localhost'])
    expect(noUrl).toMatchObject({ code: 2, stderr: expect.stringContaining("'localhost' is not an http(s) URL") })
  })
})

describe('kt events tail', () => {
  test('prints each request as it ends, by the template', async () => {
    const format = '{{.latency_ms}}ms {{.model}} {{.status}}'
    const tail = startKt(['events', 'tail', '--count', '2', '--format', format, ...admin], { KT_ADMIN_TOKEN: 't0ken' })
    let ended = false
    const result = tail.ended.finally(() => {
      ended = true
    })
    while (!ended) {
      await post(gateway, BODY)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(await result).toMatchObject({ code: 0, stderr: '' })
    expect((await result).stdout).toMatch(/^[\d.]+ms gpt-4o 200\n[\d.]+ms gpt-4o 200\n$/)
  })

  test('--json is the event; the end of the gateway ends it, and Ctrl-C', async () => {
    const config = gatewayConfigSchema({}).parse({
      gateway: {
        port: 0,
        admin_port: 0,
        providers: [{ name: 'p', base_url: provider.url }],
        warmup: { enabled: false },
      },
    })
    const brief = await startGateway(config)
    const follow = () =>
      spawn(process.execPath, ['bin/run.js', 'events', 'tail', '--json', '--admin', brief.adminUrl ?? ''])
    const [one, two] = [follow(), follow()]
    let [out, err] = ['', '']
    one.stdout.on('data', (text) => {
      out += text
    })
    one.stderr.on('data', (text) => {
      err += text
    })
    let alive = false
    two.stdout.once('data', () => {
      alive = true
    })
    while (out === '' || !alive) {
      await post(brief, BODY)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(z.strictObject(eventSchema.shape).parse(JSON.parse(out.split('\n')[0] ?? ''))).toMatchObject({
      model: 'gpt-4o',
      status: 200,
      provider: 'p',
    })
    two.kill('SIGINT')
    expect((await once(two, 'exit'))[0]).toBe(0)
    const exit = once(one, 'exit')
    await brief.close()
    expect((await exit)[0]).toBe(0)
    expect(err).toBe('kt: the gateway has ended\n')
  })

  test.each([
    ['{{.latency}} {{.model}}', /has no field 'latency'\n {4}Did you mean \{\{\.latency_ms\}\}\?/],
    ['{{.overhead.routng}}', /has no field 'overhead\.routng'\n {4}Did you mean \{\{\.overhead\.routing\}\}\?/],
    ['{{latency_ms}}', /'\{\{latency_ms\}\}' is not a field\n {4}Write it as \{\{\.latency_ms\}\}\./],
    ['{{.model.name}}', /'model' has no fields within it/],
    ['{{.model', /do not match/],
  ])('--format %s: what is meant is guessed', async (format, message) => {
    const { code, stderr } = await asked(['events', 'tail', '--format', format])
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })
})

describe('kt events stats', () => {
  const at = (minutesAgo: number) => {
    const stamp = new Date()
    stamp.setMinutes(stamp.getMinutes() - minutesAgo)
    return stamp.toISOString()
  }

  test('percentiles of the file and what it was rotated to, by time and model', async () => {
    const file = folder.file('events.ndjson')
    const lines = (from: number, count: number, more: object) =>
      Array.from({ length: count }, (_, i) => `${JSON.stringify(event({ latency_ms: from + i, ...more }))}\n`).join('')
    writeFileSync(`${file}.1`, lines(501, 500, { ts: at(50) }))
    writeFileSync(file, `${lines(1, 500, { ts: at(5) })}${lines(1, 3, { model: 'other', status: 502 })}{"cut o`)
    const all = await kt([
      'events',
      'stats',
      '--metric',
      'latency',
      '--percentiles',
      '50,90,95,99',
      '--last',
      '1h',
      '--file',
      file,
    ])
    expect(all.code).toBe(0)
    expect(all.stdout).toMatch(/^latency \(ms\) over the last 60 min\n {2}P50 +49[89]\b/)
    expect(all.stdout).toMatch(/\n {2}P99 +99\d +\[98\d, 99\d\]\n/)
    expect(all.stdout).toContain('1,003 requests, 3 of them failed; ')
    expect(all.stdout).toContain('1 line is no event and was excluded')
    const recent = await kt(['events', 'stats', '--last', '10m', '--file', file, '--json', '--model', 'gpt-4o'])
    expect(eventStatsSchema.parse(JSON.parse(recent.stdout))).toMatchObject({ count: 500, max: 500, failed: 0 })
    const overhead = await kt(['events', 'stats', '--metric', 'routing', '--file', file, '--json'])
    expect(JSON.parse(overhead.stdout)).toMatchObject({ metric: 'routing', unit: 'ms', count: 1_003, max: 0.01 })
  })

  test('without a file: what the running gateway keeps', async () => {
    for (let i = 0; i < 5; i++) await post(gateway, BODY)
    const { code, stdout } = await asked(['events', 'stats', '--metric', 'input_tokens', '--percentiles', '50'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^input_tokens \(tokens\)\n {2}P50 +7 +\[\d+, (?:7\]|inf\))/)
    expect(stdout).toMatch(/from the newest \d+, which the gateway keeps in memory/)
  })

  test('a gateway that writes a file is asked for its name', async () => {
    const path = folder.file('own.ndjson')
    const config = gatewayConfigSchema({}).parse({
      gateway: {
        ...{ port: 0, admin_port: 0, warmup: { enabled: false }, events: { file: { path } } },
        providers: [{ name: 'p', base_url: provider.url }],
      },
    })
    const writing = await startGateway(config)
    for (let i = 0; i < 12; i++) await post(writing, BODY)
    const file = async () => JSON.parse((await ask(`${writing.adminUrl}/stats`)).body.toString()).events.kept
    while ((await file()) < 12) await new Promise((resolve) => setTimeout(resolve, 20))
    await new Promise((resolve) => setTimeout(resolve, 100))
    const { stdout } = await kt(['events', 'stats', '--admin', writing.adminUrl ?? ''])
    await writing.close()
    expect(stdout).toContain('12 requests')
    expect(stdout).toContain(`from ${path}`)
  })

  test.each([
    [['--metric', 'latncy'], 2, /events have no 'latncy'\n {4}Did you mean 'latency'\?/],
    [['--metric', 'latency_ms'], 2, /Did you mean 'latency'\?/],
    [['--percentiles', '50,banana'], 2, /'banana' is not a percentile/],
    [['--percentiles', '100'], 2, /'100' is not a percentile/],
    [['--last', 'an hour'], 2, /--last: 'an hour' is not a duration/],
    [['--file', '/nowhere/events.ndjson'], 2, /cannot read the event file .*: no such file/],
  ])('%s: exit %i', async (args, code, message) => {
    const refused = await asked(['events', 'stats', ...args])
    expect(refused.code).toBe(code)
    expect(refused.stderr).toMatch(message)
    expect(refused.stderr).not.toMatch(/\bat .*\.js:/)
  })

  test('nothing to judge by is exit 4', async () => {
    const file = folder.file('empty.ndjson')
    writeFileSync(file, '')
    const { code, stdout } = await kt(['events', 'stats', '--file', file])
    expect(code).toBe(4)
    expect(stdout).toContain('no event has it')
  })
})
