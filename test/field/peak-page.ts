/** The section of a field trial's page on what a peak would cost on each gateway, and what its plans cannot tell. */
import type { z } from 'zod'
import { LOADED } from '../../src/plan/calibrate/run.ts'
import type { planSchema } from '../../src/report/plan-schema.ts'
import { formatCount, formatNumber } from '../../src/units.ts'
import { fenced, listed, NONE, paragraph, table } from './text.ts'

export type Plan = z.output<typeof planSchema>

export interface PeakOf {
  name: string
  /** Null where none could be made, for which `why` has the reason. */
  plan: Plan | null
  why?: string
  /** Share of a core of the worker at its busiest level, of those that a plan may rest on. */
  busy: number | null
  /** Of a core, in the busiest second. */
  clientPercent: number | null
  providerPercent: number | null
}

export interface PeakTrial {
  /** Of one of the sweeps, and of its plan. */
  commands: string[]
  /** By the vendor's figures, and what other vendors publish. */
  vendors: Plan
  gateways: PeakOf[]
}

/** Where the figures of `profiles/sizing/` were read. */
const PAGES: Record<string, string> = {
  Kong: 'https://developer.konghq.com/ai-gateway/resource-sizing-guidelines-ai',
  LiteLLM: 'https://docs.litellm.ai/docs/benchmarks',
  Portkey: 'https://docs.litellm.ai/docs/benchmarks',
}

export function peakSection({ commands, vendors, gateways }: PeakTrial): string {
  const { inputTokens, outputTokens } = vendors.demand.request
  const heads = ['', 'worker busy', 'client, provider', 'workers at the peak', 'machines', '$ a month for them']
  return [
    '## What the peak costs on each',
    paragraph(
      `A peak of ${formatCount(vendors.demand.inputTokensPerSec)} input and ` +
        `${formatCount(vendors.demand.outputTokensPerSec)} output tokens/s, planned from a sweep of one worker, alone ` +
        `before the provider: streams of ${Math.round(inputTokens)} tokens in and ${Math.round(outputTokens)} out ` +
        'at 200 tokens/s. Busy: the share of a core, of the worker at the busiest level that the plan rests on, of ' +
        'client and provider in their busiest second. All three share the machine: a worker below ' +
        `${LOADED * 100} % could not be loaded here, and its plan says no more than what it takes at most. Workers ` +
        'are one vCPU each, without redundancy, with their ' +
        'interval of 95 %; machines and their price are the whole fleet, with bursts and the loss of a zone, as low ' +
        'and as high as its uncertain figures make it. Traffic costs about the same on all, and is left out.',
    ),
    table([...heads, 'binds', 'by the vendor, for this peak'], [...gateways.map(rowOf(vendors)), kongRow(vendors)]),
    paragraph('What vendors say was not measured here; it stands on their own pages:'),
    vendorLines(vendors).join('\n'),
    ...commands.map(fenced),
  ].join('\n\n')
}

const percent = (share: number | null) => (share === null ? NONE : `${Math.round(share * 100)} %`)

const rowOf = (vendors: Plan) => (peak: PeakOf) => {
  const { name, plan, why, busy, clientPercent, providerPercent } = peak
  const core = (value: number | null) => percent(value === null ? null : value / 100)
  const begin = [name, percent(busy), `${core(clientPercent)}, ${core(providerPercent)}`]
  const vendor = publishedOf(vendors, name)
  if (!plan) return [...begin, `not planned: ${why ?? 'unknown'}`, NONE, NONE, NONE, vendor]
  const [low, high] = plan.workers.interval95 ?? []
  const { steady } = plan.fleet.nodes
  const nodes = plan.range?.nodes
  const usd = plan.cost?.parts.find((part) => part.name === 'machines')?.usdPerMonth
  const loaded = busy !== null && busy >= LOADED
  const dollars = (count: number) => (usd === undefined ? NONE : `$${formatNumber((usd / steady) * count)}`)
  const ends = (form: (count: number) => string) => (nodes ? ` [${form(nodes.low)}, ${form(nodes.high)}]` : '')
  const workers = `${formatNumber(plan.workers.peak)}${interval(low, high)}`
  return [
    ...begin,
    loaded ? workers : `could not be loaded here: at most ${high === undefined ? 'unknown' : formatNumber(high)}`,
    loaded ? `${formatNumber(steady)}${ends((count) => formatNumber(count))}` : `at most ${formatNumber(steady)}`,
    loaded ? `${dollars(steady)}${ends(dollars)}` : `at most ${dollars(steady)}`,
    plan.fleet.binding,
    vendor,
  ]
}

function interval(low: number | undefined, high: number | undefined): string {
  return low === undefined || high === undefined ? '' : ` [${formatNumber(low)}, ${formatNumber(high)}]`
}

function publishedOf({ published = [] }: Plan, name: string): string {
  const own = published.filter((one) => one.name.toLowerCase().split(',')[0] === name)
  return own.length === 0 ? NONE : own.map(needOf).join('; ')
}

function needOf({ needsVcpu, needsVcpuByTokens }: NonNullable<Plan['published']>[number]): string {
  const byTokens = needsVcpuByTokens === undefined ? '' : `, ${formatNumber(needsVcpuByTokens)} by tokens/s`
  return `${formatNumber(needsVcpu)} vCPU by requests/s${byTokens}`
}

function kongRow({ workers, tier }: Plan): string[] {
  const said = `${workers.peak} workers, ${workers.min} to ${workers.max} with redundancy; tier: ${tier.vcpu} vCPU`
  return ['kong (not run here)', NONE, NONE, NONE, NONE, NONE, NONE, said]
}

function vendorLines({ sizing, formula, published = [], demand }: Plan): string[] {
  const { ratio, outputPerWorker } = formula
  return [
    listed(
      `Kong, ${sizing.source}, read ${outputPerWorker.date ?? 'at a date unknown'}: (input / ${ratio.value} + ` +
        `output) / ${formatCount(outputPerWorker.value)} a worker (${PAGES.Kong})`,
    ),
    ...published.map((one) =>
      listed(
        `${one.name}, ${one.source}, read ${one.date}: ${formatNumber(one.requestsPerSec)} requests/s on ` +
          `${one.instances} x ${one.vcpu} vCPU; the ${formatCount(demand.requestsPerSec)} requests/s of this peak ` +
          `would take ${needOf(one)} (${PAGES[one.name.split(',')[0] ?? ''] ?? 'no page'})`,
      ),
    ),
  ]
}

/** What no plan tells, in words: no interval, a mix or a share that was not measured, levels left out. */
export function peakNotTold({ gateways }: PeakTrial): string[] {
  const notes = gateways.flatMap((peak) => {
    const { name, plan, why, busy } = peak
    if (!plan) return [{ name, note: `no plan: ${why}` }]
    const own = plan.calibration?.notes ?? []
    return [
      ...(plan.workers.interval95 ? [] : [`the workers have no interval: its runs say nothing of their upper end`]),
      ...(plan.range ? [] : ['machines and price have no interval']),
      ...(busy === null ? ['CPU of its worker was not read'] : []),
      ...own.map((note) => note.replaceAll(/\S*\/(sweep-[\w-]+\.json)/g, '$1')),
    ].map((note) => ({ name, note }))
  })
  const texts = [...new Set(notes.map(({ note }) => note))]
  return texts.map((text) => {
    const names = notes.filter(({ note }) => note === text).map(({ name }) => name)
    const all = names.length === gateways.length && names.length > 1
    return `the peak on ${all ? 'all' : names.join(', ')}: ${text}`
  })
}
