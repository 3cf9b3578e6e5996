// The replay of a trace. How many rows a second of CPU are read, beside csv-parse on the same file in turns; how much
// memory a long trace takes through a FIFO, beside a short one; and how late its requests leave at 2,000 a second,
// beside the open loop of the same requests.
import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse'
import { mayRunRealtime } from '../../../dist/src/system/realtime.js'
import { generatedTemplate } from '../../../dist/src/wire/template.js'
import { TraceFeed } from '../../../dist/src/workload/traces/feed.js'
import { createRing } from '../../../dist/src/workload/traces/ring.js'
import { decode, median, quantiles, run, say, target } from './rig.js'

const RPS = 2_000
const TOKENS = 100
const ALL = {
  ...{ speed: 1, share: 1, seed: 1, fromUs: 0 },
  ...{ toUs: Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY, durationUs: Number.POSITIVE_INFINITY },
}

export async function replay(table, quick) {
  const folder = mkdtempSync(join(tmpdir(), 'kt-replay-'))
  try {
    await reading(table, folder, quick)
    await memory(table, folder, quick)
    await lateness(table, folder, quick)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function reading(table, folder, quick) {
  say('\nrows of a CSV trace read in a second of CPU, by kt and by csv-parse, in turns')
  const rows = quick ? 200_000 : 2_000_000
  const path = join(folder, 'trace.csv')
  await write(createWriteStream(path), rows, 4.5)
  const seen = { kt: [], library: [] }
  for (let turn = 0; turn < (quick ? 1 : 5); turn++) {
    seen.kt.push(rows / (await cpuOf(() => feedOf(path).scan())))
    seen.library.push(rows / (await cpuOf(() => byLibrary(path))))
    say(`  kt ${(seen.kt.at(-1) / 1e6).toFixed(2)}M, csv-parse ${(seen.library.at(-1) / 1e6).toFixed(2)}M`)
  }
  const [kt, library] = [median(seen.kt), median(seen.library)].map((each) => each / 1e6)
  table.row('rows of a CSV trace read and checked, a second of CPU', kt, 'M', 1, 'high')
  table.row('  the same rows by csv-parse, and not checked', library, 'M', 1, 'high')
}

async function memory(table, folder, quick) {
  say('\nlargest resident set of a process that takes a trace through a FIFO')
  const counts = quick ? [100_000, 400_000] : [250_000, 4_000_000]
  const seen = []
  for (const rows of counts) {
    const fifo = join(folder, `fifo-${rows}`)
    execFileSync('mkfifo', [fifo])
    const child = fork(new URL('replay-reader.js', import.meta.url), [fifo], { execArgv: [] })
    const [[{ mb, rows: read }]] = await Promise.all([once(child, 'message'), write(createWriteStream(fifo), rows, 1)])
    if (read !== rows) throw new Error(`${read} rows of ${rows} were read`)
    say(`  ${rows.toLocaleString('en')} rows: ${mb.toFixed(0)} MB`)
    seen.push(mb)
  }
  table.row(
    `memory of a trace ${counts[1] / counts[0]} times as long, over that of the short one`,
    seen[1] / seen[0],
    '',
    1.2,
    'low',
  )
}

async function lateness(table, folder, quick) {
  say(`\nsend lateness at ${RPS} requests a second, a 5 ms provider: a trace, and the open loop, in turns`)
  const provider = await target('provider', 5, 0)
  const seconds = quick ? 2 : 5
  const path = join(folder, 'paced.csv')
  await write(createWriteStream(path), RPS * seconds, 1_000 / RPS)
  const seen = { trace: [], loop: [] }
  const shape = { endpoint: 'chat', model: 'gpt-4o-mini', stream: false }
  const around = generatedTemplate(shape, false)
  const workloadOf = (source, more) => ({
    name: 'bench',
    ...shape,
    seed: 1,
    parts: [{ weight: 1, stream: false, source, ...more }],
  })
  for (let turn = 0; turn < (quick ? 1 : 5); turn++) {
    const ring = createRing()
    const feed = new TraceFeed({ path, selection: ALL }, ring, () => {})
    await feed.start()
    // Where the machine lets it: what else runs there is no part of either.
    const limits = { requests: RPS * seconds, durationUs: undefined, realtime: mayRunRealtime().ok }
    const replayed = await run(
      provider.origin,
      { mode: 'open', rps: RPS, maxInFlight: 1_000, trace: ring },
      limits,
      workloadOf({ kind: 'trace', around, ring }),
    )
    await feed.close()
    const generated = {
      ...{ kind: 'generated', around, inputTokens: { kind: 'constant', value: TOKENS } },
      ...{ prefixTokens: 0, prefixes: 0 },
    }
    const loop = await run(
      provider.origin,
      { mode: 'open', rps: RPS, maxInFlight: 1_000 },
      limits,
      workloadOf(generated, { outputTokens: { kind: 'constant', value: 1 } }),
    )
    for (const [what, { record, done }] of Object.entries({ trace: replayed, loop })) {
      if (done !== RPS * seconds) throw new Error(`${done} of ${RPS * seconds} requests were answered`)
      const lag = decode(record.sendLag)
      say(`  ${what}: ${quantiles(lag)}; ${record.self.cpuShare.toFixed(3)} cores`)
      seen[what].push({ p50: lag.quantileUs(0.5), p99: lag.quantileUs(0.99), cores: record.self.cpuShare })
    }
  }
  provider.close()
  for (const [name, of, aim] of [
    ['P50', ({ p50 }) => p50 / 1_000, 1.25],
    ['P99', ({ p99 }) => p99 / 1_000, 1.5],
  ]) {
    const [trace, loop] = [median(seen.trace.map(of)), median(seen.loop.map(of))]
    table.row(`send lateness of a trace at ${RPS}/s, ${name}`, trace, 'ms', aim * loop, 'low', trace / loop)
  }
  const cores = (what) => median(seen[what].map((each) => each.cores))
  table.row(
    '  cores that it takes',
    cores('trace'),
    'cores',
    1.15 * cores('loop'),
    'low',
    cores('trace') / cores('loop'),
  )
}

function feedOf(path) {
  return new TraceFeed({ path, selection: ALL }, createRing(), () => {})
}

function byLibrary(path) {
  return new Promise((resolve, reject) => {
    let tokens = 0
    createReadStream(path)
      .pipe(parse({ from_line: 2, trim: true, record_delimiter: ['\r\n', '\n'] }))
      .on('data', ([, input, output]) => {
        tokens += Number(input) + Number(output)
      })
      .on('error', reject)
      .on('end', () => resolve(tokens))
  })
}

/** Seconds of CPU of this process. */
async function cpuOf(work) {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

/** Rows in the form of the Azure traces, `gapMs` apart. */
async function write(out, rows, gapMs) {
  out.write('TIMESTAMP,ContextTokens,GeneratedTokens\r\n')
  const start = Date.UTC(2023, 10, 16)
  for (let row = 0; row < rows; ) {
    let text = ''
    for (const end = Math.min(rows, row + 1_000); row < end; row++) {
      const us = Math.round(row * gapMs * 1_000)
      const stamp = new Date(start + Math.floor(us / 1_000)).toISOString().replace('T', ' ').slice(0, -1)
      text += `${stamp}${String(us % 1_000).padStart(3, '0')}0,${TOKENS},1\r\n`
    }
    if (!out.write(text)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'close')
}
