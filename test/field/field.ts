// The field trial: every gateway of examples/gateways/ that can be had here, before a simulated provider, in one run of
// `kt bench --arm` for each scenario, with `kt doctor` over each and a client of its own beside kt's.
// npm run field [-- --seconds 20] [--only envoy,nginx]      writes docs/field/<date>.md, .html, .json; README
// npm run field -- --short                                  some gateways, some requests: classes, no times
// npm run field -- --scenarios streams-1                    these alone: no doctor, no other client, no plan
// npm run field -- --out FOLDER                             writes there, and leaves the README

import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { UserError } from '../../src/errors.ts'
import { systemReason } from '../../src/parse/system-reason.ts'
import { doctorSchema } from '../../src/report/doctor-schema.ts'
import { writeEach } from '../../src/report/write-each.ts'
import { assertWritable, writeOutput } from '../../src/report/write-output.ts'
import {
  API_KEY,
  type Gateway,
  gatewayNames,
  hasCache,
  IN_SHORT_FORM as SHORT_GATEWAYS,
  startGateway,
} from '../setup/gateways.ts'
import { reasonOf } from '../setup/peers/find.ts'
import { endAllKt, kt, startKt } from '../support/kt.ts'
import { root } from '../support/pages.ts'
import { type Field, page, type RawBeside, withTable } from './page.ts'
import { lengthOf, PACE, peakOf, planByVendors } from './peak.ts'
import type { PeakTrial } from './peak-page.ts'
import { rawPairs } from './raw-client.ts'
import { faultsOf, JUDGED, type Machine, type Measured, readReport } from './reading.ts'
import { IN_SHORT_FORM, pairsOf, providerFlags, type Scenario, type Setting, scenariosIn } from './scenarios.ts'

const IN_DOCS = join(root, 'docs', 'field')
const given = readOptions()
const KEY = { KT_API_KEY: API_KEY }
const VERDICTS: readonly (number | null)[] = [0, 3, 4]
/** Of the same kind as what kt's closed loop of one sends. */
const RAW_BESIDE = ['nginx', 'envoy', 'litellm']
const RAW_PAIRS = given.short ? 60 : Number(given.seconds) * 20
const SHORT_REQUESTS = '60'
const ON_THE_PAGE = 'streams-1.json'
/** Processes that kt watches in one run. */
const MOST_WATCHED = 16

const scratch = mkdtempSync(join(tmpdir(), 'kt-field-'))
const scenarios = scenariosIn(scratch)
const notKnown = [
  ...unknownIn(given.only, gatewayNames()),
  ...unknownIn(
    given.scenarios,
    scenarios.map(({ name }) => name),
  ),
]
if (notKnown.length > 0) {
  rmSync(scratch, { recursive: true, force: true })
  refuse(notKnown.join('; '))
}
const notTold: string[] = []
const faults: string[] = []
const running: { stop(): Promise<void> }[] = []
const say = (line: string) => process.stderr.write(`${line}\n`)

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        short: { type: 'boolean', default: false },
        seconds: { type: 'string', default: '20' },
        only: { type: 'string' },
        scenarios: { type: 'string' },
        out: { type: 'string', default: IN_DOCS },
      },
    })
    if (!(Number(values.seconds) > 0)) refuse(`--seconds ${values.seconds} is no number above 0`)
    return values
  } catch (error) {
    return refuse(reasonOf(error))
  }
}

function unknownIn(given: string | undefined, known: readonly string[]): string[] {
  const unknown = given?.split(',').filter((name) => !known.includes(name)) ?? []
  return unknown.map((name) => `there is no '${name}' among ${known.join(', ')}`)
}

function refuse(why: string): never {
  process.stderr.write(`field: ${why}\n`)
  process.exit(2)
}

async function startProvider(flags: readonly string[]): Promise<{ origin: string; pid: number }> {
  await unlessEnding()
  const { child, ended } = startKt(['provider', 'start', '--port', '0', '--json', ...flags])
  running.push({
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  })
  if (!child.stdout) throw new Error('a provider without output')
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    ended.then(({ stderr }) => Promise.reject(new Error(stderr))),
  ])
  const { url, pid } = z.object({ url: z.string(), pid: z.number() }).parse(JSON.parse(String(line)))
  return { origin: new URL(url).origin, pid }
}

function named(setting: Setting): string[] {
  const only = given.only?.split(',')
  return gatewayNames().filter(
    (name) =>
      (only?.includes(name) ?? true) &&
      (!given.short || SHORT_GATEWAYS.includes(name)) &&
      (setting !== 'cached' || hasCache(name)),
  )
}

async function startGateways(setting: Setting | 'peak', names: readonly string[], upstream: string) {
  const gateways: Gateway[] = []
  for (const name of names) {
    await unlessEnding()
    say(`starts ${name}`)
    const folder = join(scratch, `${setting}-${name}`)
    try {
      const gateway = await startGateway(name, upstream, { folder, cached: setting === 'cached' })
      running.push(gateway)
      gateways.push(gateway)
    } catch (error) {
      const why = `${name} was not measured (${setting}): ${reasonOf(error)}`
      if (!notTold.includes(why)) notTold.push(why)
    }
  }
  return gateways
}

let isEnding = false

/** Nothing more is started once this is told to end. */
async function unlessEnding(): Promise<void> {
  if (isEnding) await new Promise(() => {})
}

/** What is told to end ends what it started. */
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    say(`${signal}: ends what it started`)
    isEnding = true
    void Promise.all([endAllKt(), stopAll()]).then(() => {
      rmSync(scratch, { recursive: true, force: true })
      process.exit(130)
    })
  })
}

async function stopAll(): Promise<void> {
  while (running.length > 0) await running.pop()?.stop()
}

/** As a user would write it, for the page: addresses and files are of this run alone. */
function shown(args: readonly string[]): string {
  const words = args.map((word) =>
    word
      .replace(/^([\w-]+)=http:\/\/127\.0\.0\.1:\d+/, '$1=http://127.0.0.1:PORT')
      .replace(/^http:\/\/127\.0\.0\.1:\d+$/, 'http://127.0.0.1:PORT'),
  )
  return `kt ${words.map((word) => (/[\s<>{}*]/.test(word) ? `'${word}'` : word)).join(' ')}`
}

async function measure(scenario: Scenario, gateways: readonly Gateway[], provider: string) {
  await unlessEnding()
  say(`measures ${scenario.name}`)
  const arms = gateways.flatMap(({ name, url, headers, pid }, index) => [
    ...['--arm', `${name}=${url}`],
    ...(index < MOST_WATCHED ? ['--arm-pid', `${name}=${pid}`] : []),
    ...Object.entries(headers).flatMap(([key, value]) => ['--arm-header', `${name}=${key}: ${value}`]),
  ])
  const length = given.short ? ['--requests', SHORT_REQUESTS, '--no-jit-warmup'] : ['--duration', `${given.seconds}s`]
  const judged = JUDGED.flatMap((metric) => ['--threshold', `${metric}<60s`])
  const report = `${scenario.name}.json`
  const args = [
    ...['bench', ...arms, '--baseline-url', provider, ...scenario.flags, ...length, ...judged],
    ...['--no-compare-answers', '--output', report],
  ]
  const { code, stderr } = await kt(args, KEY, scratch)
  if (!VERDICTS.includes(code))
    throw new Error(`${scenario.name}: kt bench ended with ${code}: ${stderr.slice(-1_000)}`)
  const { machine, arms: readings } = readReport(readFileSync(join(scratch, report), 'utf8'))
  return { machine, report: join(scratch, report), measured: { ...scenario, command: shown(args), arms: readings } }
}

async function diagnosed({ url, headers }: Gateway, provider: string): Promise<string[]> {
  await unlessEnding()
  const header = Object.entries(headers).flatMap(([key, value]) => ['--header', `${key}: ${value}`])
  const { stdout, stderr } = await kt(['doctor', '--url', url, '--provider-url', provider, ...header, '--json'], KEY)
  if (stdout === '') return [`kt doctor could not tell: ${stderr.trim()}`]
  const { rules, measured } = doctorSchema.parse(JSON.parse(stdout))
  const found = rules.flatMap(({ rule, opinions }) =>
    opinions.flatMap((one) =>
      one.status === 'found' ? [`\`${rule}\` (${one.severity}, ${one.certainty}): ${one.seen}`] : [],
    ),
  )
  return measured?.failure ? [`could not be measured: ${measured.failure}`] : found
}

/** kt itself asks as the other client does, request by request in turns, so that the two read the same. */
async function beside(gateways: readonly Gateway[], provider: string): Promise<RawBeside[]> {
  const readings: RawBeside[] = []
  for (const gateway of gateways.filter(({ name }) => RAW_BESIDE.includes(name))) {
    say(`asks ${gateway.name} with node:http`)
    const headers = { ...gateway.headers, authorization: `Bearer ${API_KEY}` }
    const raw = await rawPairs({ url: provider, headers }, { url: gateway.url, headers }, RAW_PAIRS)
    const { measured } = await measure(pairsOf(gateway.name), [gateway], provider)
    const own = measured.arms.find(({ name }) => name === gateway.name)?.figures['delta.latency.p50']
    readings.push({ name: gateway.name, raw, kt: own ?? null, command: measured.command })
  }
  return readings
}

/** One gateway at a time: nothing else of them takes the machine. */
async function planned(): Promise<PeakTrial> {
  const vendors = await planByVendors()
  const provider = await startProvider(PACE)
  const gateways: PeakTrial['gateways'] = []
  let commands: string[] = []
  for (const name of named('plain')) {
    const [gateway] = await startGateways('peak', [name], provider.origin)
    if (!gateway) continue
    say(`sweeps ${name}`)
    const swept = await peakOf(gateway, vendors, provider, lengthOf(Number(given.seconds)), scratch)
    gateways.push(swept.peak)
    commands = swept.commands.map(shown)
    await running.pop()?.stop()
  }
  await stopAll()
  return { commands, vendors, gateways }
}

async function run(): Promise<void> {
  const measured: Measured[] = []
  const reports: string[] = []
  let machine: Machine | undefined
  let versions: Record<string, string> = {}
  const doctor: Record<string, string[]> = {}
  let raw: RawBeside[] = []
  const wanted = given.scenarios?.split(',') ?? (given.short ? IN_SHORT_FORM : undefined)
  const chosen = scenarios.filter(({ name }) => wanted?.includes(name) ?? true)
  const isWhole = given.scenarios === undefined
  for (const setting of ['plain', 'stalls', 'cached'] as const) {
    const own = chosen.filter((one) => one.setting === setting)
    if (own.length === 0 || named(setting).length === 0) continue
    const { origin: provider } = await startProvider(providerFlags(setting, scratch))
    const gateways = await startGateways(setting, named(setting), provider)
    versions = { ...Object.fromEntries(gateways.map(({ name, version }) => [name, version])), ...versions }
    const unwatched = gateways.slice(MOST_WATCHED).map(({ name }) => name)
    if (unwatched.length > 0)
      notTold.push(`CPU and memory of ${unwatched.join(', ')}: kt watches ${MOST_WATCHED} processes`)
    for (const scenario of own) {
      const one = await measure(scenario, gateways, provider).catch((error: unknown) => {
        notTold.push(`${scenario.name} was not measured: ${String(error).trim().replaceAll(/\s+/g, ' ')}`)
        return undefined
      })
      if (!one) continue
      machine ??= one.machine
      reports.push(one.report)
      measured.push(one.measured)
      if (scenario.whole) faults.push(...faultsOf(scenario.name, one.measured.arms))
    }
    if (setting === 'plain' && isWhole) {
      raw = await beside(gateways, provider)
      for (const gateway of given.short ? [] : gateways) {
        say(`examines ${gateway.name}`)
        doctor[gateway.name] = await diagnosed(gateway, provider)
      }
    }
    await stopAll()
  }
  if (!machine) throw new Error('nothing was measured')
  const peak = given.short || !isWhole ? undefined : await planned()
  const date = new Date().toISOString().slice(0, 10)
  const field: Field = {
    date,
    seconds: Number(given.seconds),
    machine,
    versions,
    measured,
    doctor,
    raw,
    ...(peak && { peak }),
    notTold,
    faults,
  }
  if (given.short) return wrongOrNot(field)
  const own = (ending: string) => join(given.out, `${date}.${ending}`)
  // A page of all of them would exceed what a page may take.
  const [first = ''] = reports
  const shown = reports.find((path) => path.endsWith(ON_THE_PAGE)) ?? first
  const readme = join(root, 'README.md')
  await writeEach([
    () => writeOutput(own('json'), `${JSON.stringify(field, null, 1)}\n`, '--out'),
    () => writeOutput(own('md'), page(field), '--out'),
    async () => {
      const { code, stderr } = await kt(['report', shown, '--output', own('html')])
      if (code !== 0) throw new UserError(`kt report ended with ${code}: ${stderr.trim()}`, '')
    },
    async () => {
      if (given.out === IN_DOCS) await writeOutput(readme, withTable(readFileSync(readme, 'utf8'), field), '--out')
    },
  ])
  say(`wrote ${date}.md, .html and .json`)
}

/** Before hours of measuring, of which nothing would be kept. */
function assertPlace(): void {
  try {
    mkdirSync(given.out, { recursive: true })
  } catch (error) {
    refuse(`--out ${given.out}: ${systemReason(error)}`)
  }
  assertWritable(join(given.out, 'field.json'), '--out')
}

function wrongOrNot({ measured, raw }: Field): void {
  if (notTold.length + faults.length > 0) return
  const answered = measured.map(({ name, arms }) => `${name}: ${arms.map(({ name }) => name).join(', ')}`)
  process.stdout.write(`field, short form: all answered with stamps, in order: ${answered.join('; ')}\n`)
  for (const { name, raw: one } of raw) process.stdout.write(`node:http through ${name}: ${one.pairs} pairs answered\n`)
}

try {
  if (!given.short) assertPlace()
  await run()
  const wrong = [...notTold, ...faults]
  if (wrong.length > 0) process.stderr.write(`field: ${wrong.join('\nfield: ')}\n`)
  if (given.short && wrong.length > 0) process.exitCode = 1
} catch (error) {
  if (!(error instanceof UserError)) throw error
  process.stderr.write(`field: ${error.message}\n`)
  process.exitCode = error.exitCode
} finally {
  await stopAll()
  rmSync(scratch, { recursive: true, force: true })
}
