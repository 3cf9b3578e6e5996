/** The page of a field trial, docs/field/<date>.md: what was measured on what, how, and what could not be told. */
import { formatBytes, formatMs, formatNumber } from '../../src/units.ts'
import { type PeakTrial, peakNotTold, peakSection } from './peak-page.ts'
import type { RawReading } from './raw-client.ts'
import { type ArmReading, type Figure, failuresOf, type Machine, type Measured, stampedOf, toldOf } from './reading.ts'
import { surprisesOf } from './surprises.ts'
import { fenced, listed, NONE, paragraph, table } from './text.ts'

export interface RawBeside {
  name: string
  raw: RawReading
  /** By kt: the difference of the P50s of latency. */
  kt: Figure | null
  command: string
}

export interface Field {
  date: string
  seconds: number
  machine: Machine
  versions: Record<string, string>
  measured: Measured[]
  /** By gateway: what `kt doctor` found. */
  doctor: Record<string, string[]>
  raw: RawBeside[]
  /** Absent where no sweep was made. */
  peak?: PeakTrial
  notTold: string[]
  faults: string[]
}

export function page(field: Field): string {
  const { date, machine, versions, measured } = field
  const sections = [
    `# The field trial of ${date}`,
    paragraph(
      "Every gateway of `examples/gateways/` that could be had, before kt's simulated provider, which answers after " +
        '20 ms and writes a token every 2 ms. All arms of a scenario take turns in one run, ' +
        `${field.seconds} s each, one worker of each gateway; intervals are of 95 %, by blocks. The gateways differ in ` +
        'what they do for a request: a figure here is a price, and no judgement. `npm run field` writes this page.',
    ),
    table(['machine', ''], machineRows(machine)),
    table(['gateway', 'version'], Object.entries(versions)),
    ...measured.map(scenarioSection),
    adaptersSection(measured),
    rawSection(field.raw),
    doctorSection(field.doctor),
    ...(field.peak ? [peakSection(field.peak)] : []),
    surprisesSection(field),
    notToldSection(field),
  ]
  return `${sections.join('\n\n')}\n`
}

const README_MARKS = /<!-- field -->[\s\S]*<!-- \/field -->/

/** The README with the newest trial between its marks: what each gateway adds, and where the rest stands. */
export function withTable(readme: string, { date, machine, measured }: Field): string {
  if (!README_MARKS.test(readme)) throw new Error('the README has no place for the table')
  const shown = ['json-1', 'streams-16'].flatMap((name) => measured.find((one) => one.name === name) ?? [])
  const names = shown[0]?.arms.filter(({ baseline }) => !baseline).map(({ name }) => name) ?? []
  const rows = shown.map(({ title, arms }) => [
    title,
    ...names.map((name) => {
      const figure = arms.find((arm) => arm.name === name)?.figures['overhead.p50']
      return figure ? formatMs(figure.value) : NONE
    }),
  ])
  const words =
    `What gateways add at P50, in ms, by [the field trial of ${date}](docs/field/${date}.md) on a machine with ` +
    `${machine.cores} cores:`
  const block = ['<!-- field -->', paragraph(words), '', table(['', ...names], rows), '', '<!-- /field -->'].join('\n')
  return readme.replace(README_MARKS, () => block)
}

function machineRows({ cpuModel, cores, memoryBytes, kernel, node, loadAvgBefore }: Machine): string[][] {
  return [
    ['processor', `${cpuModel}, ${cores} cores`],
    ['memory', formatBytes(memoryBytes)],
    ['system', `${kernel}, Node ${node}`],
    ['load before', String(loadAvgBefore)],
  ]
}

function scenarioSection({ name, title, setting, command, arms }: Measured): string {
  const columns = ['', 'overhead P50', 'overhead P99', ...(setting === 'stalls' ? [] : ['latency P50 above direct'])]
  const streams = arms.some(({ ttftMs }) => ttftMs)
  const more = [...(streams ? ['TTFT P50', 'per token P50'] : []), 'requests/s', 'answered', 'CPU', 'memory']
  const rows = arms.map((arm) => {
    const { figures, ttftMs, throughput, cpuPercent, rssBytes } = arm
    const perToken = stampedOf(arm)?.perTokenMs?.p50
    return [
      arm.name + (arm.baseline ? ' (floor)' : ''),
      figures['overhead.p50'] ? interval(figures['overhead.p50']) : plain(stampedOf(arm)?.totalMs.p50),
      figures['overhead.p99'] ? interval(figures['overhead.p99']) : plain(stampedOf(arm)?.totalMs.p99),
      ...(setting === 'stalls' ? [] : [interval(figures['delta.latency.p50'])]),
      ...(streams ? [plain(ttftMs?.p50), plain(perToken)] : []),
      formatNumber(throughput.requestsPerSec),
      answeredOf(arm),
      cpuPercent === null ? NONE : `${Math.round(cpuPercent)} %`,
      rssBytes === null ? NONE : formatBytes(rssBytes),
    ]
  })
  const heading = `## ${title[0]?.toUpperCase()}${title.slice(1)}`
  return [heading, table([...columns, ...more], rows), ...extraOf(name, arms), fenced(command)].join('\n\n')
}

function answeredOf(arm: ArmReading): string {
  const { sent, successful } = arm.totals
  if (sent === 0) return 'none was counted'
  return successful === sent ? 'all' : `${successful} of ${sent}: ${failuresOf(arm)}`
}

/** What a scenario is about beside times. */
function extraOf(name: string, arms: readonly ArmReading[]): string[] {
  if (name === 'leaving') {
    const rows = arms.flatMap(({ name: arm, totals: { canceled } }) => {
      const wasted = canceled?.wasted
      return canceled
        ? [
            [
              arm,
              String(canceled.left),
              wasted ? `${wasted.writtenToTheEnd} of ${wasted.known}` : NONE,
              plainCount(wasted?.tokens),
            ],
          ]
        : []
    })
    return [table(['', 'clients left', 'answers written to the end for nobody', 'tokens for nobody'], rows)]
  }
  if (name === 'cache') {
    const rows = arms.flatMap(({ name: arm, cache }) =>
      cache
        ? [
            [
              arm,
              `${Math.round(cache.hitRate * 100)} %`,
              plain(cache.hits.latencyMs?.p50),
              plain(cache.misses.latencyMs?.p50),
            ],
          ]
        : [],
    )
    return [table(['', 'hits', 'latency P50 of a hit', 'of a miss'], rows)]
  }
  return []
}

function adaptersSection(measured: readonly Measured[]): string {
  const rows = measured.flatMap(({ name, setting, arms }) =>
    setting !== 'plain' || name === 'leaving'
      ? []
      : arms.flatMap((arm) => {
          const [told, stamped] = [toldOf(arm), stampedOf(arm)]
          return told && stamped && !arm.baseline
            ? [
                [
                  arm.name,
                  name,
                  told.source,
                  plain(told.totalMs.p50),
                  plain(stamped.totalMs.p50),
                  plain(told.totalMs.p99),
                  plain(stamped.totalMs.p99),
                ],
              ]
            : []
        }),
  )
  const silent = [
    ...new Set(
      measured.flatMap(({ arms }) => arms.filter((arm) => !arm.baseline && !toldOf(arm)).map(({ name }) => name)),
    ),
  ]
  const heads = ['', 'scenario', 'read from', 'P50', 'P50 by stamps', 'P99', 'P99 by stamps']
  return [
    '## What gateways say of themselves, beside stamps',
    table(heads, rows),
    paragraph(
      `Nothing of their own time say ${silent.join(', ') || 'none'}. What each leaves out stands on its page in ` +
        '`examples/gateways/`.',
    ),
  ].join('\n\n')
}

function rawSection(raw: readonly RawBeside[]): string {
  const rows = raw.map(({ name, raw: one, kt }) => {
    const figure = { value: one.p50Ms, ci95: one.ci95 }
    return [name, interval(figure), interval(kt ?? undefined), kt === null ? NONE : agree(figure, kt) ? 'yes' : 'no']
  })
  return [
    '## Beside an instrument that shares nothing with kt',
    paragraph(
      'A client on `node:http` asks directly and through the gateway, request by request, one in flight; its figure ' +
        'is the difference of the two medians. So is that of kt, which then asks in the same way.',
    ),
    table(['', 'node:http', 'kt', 'intervals overlap'], rows),
    ...raw.slice(0, 1).map(({ command }) => fenced(command)),
  ].join('\n\n')
}

export function agree(a: Figure, b: Figure): boolean {
  const [low, high] = [a.ci95?.[0] ?? a.value, a.ci95?.[1] ?? a.value]
  const [from, to] = [b.ci95?.[0] ?? b.value, b.ci95?.[1] ?? b.value]
  return low <= to && from <= high
}

function doctorSection(doctor: Field['doctor']): string {
  const parts = Object.entries(doctor).map(([name, found]) =>
    found.length === 0
      ? listed(`${name}: nothing found`)
      : [listed(`${name}:`), ...found.map((one) => listed(one, '  - '))].join('\n'),
  )
  return ['## What `kt doctor` finds', parts.join('\n')].join('\n\n')
}

function surprisesSection({ measured, doctor }: Field): string {
  const parts = surprisesOf(measured, doctor).map(({ name, seen }) =>
    paragraph(`**${name}**: ${seen.length === 0 ? 'nothing beside what the tables say.' : `${seen.join('; ')}.`}`),
  )
  const from = 'By rules alone, from the figures of this page; the rules are in `test/field/surprises.ts`.'
  return ['## What stood out', paragraph(from), ...parts].join('\n\n')
}

function notToldSection({ notTold, faults, measured, peak }: Field): string {
  const noInterval = measured.flatMap(({ name, setting, arms }) =>
    setting === 'stalls'
      ? []
      : arms.flatMap((arm) =>
          !arm.baseline && !arm.figures['overhead.p99']?.ci95
            ? [`${name}: ${arm.name} has no interval of its P99`]
            : [],
        ),
  )
  const all = [...notTold, ...faults, ...noInterval, ...(peak ? peakNotTold(peak) : [])]
  const words = all.length === 0 ? ['nothing'] : [...new Set(all)]
  return ['## What could not be told', words.map((one) => listed(one)).join('\n')].join('\n\n')
}

function interval(figure: Figure | undefined): string {
  if (!figure) return NONE
  const { value, ci95 } = figure
  const bound = (ms: number | null) => (ms === null ? NONE : formatMs(ms))
  return `${formatMs(value)} ms${ci95 ? ` [${bound(ci95[0])}, ${bound(ci95[1])}]` : ''}`
}

function plain(ms: number | undefined): string {
  return ms === undefined ? NONE : `${formatMs(ms)} ms`
}

function plainCount(count: number | undefined): string {
  return count === undefined ? NONE : formatNumber(count)
}
