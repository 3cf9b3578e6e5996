/** The texts of `kt plan instances`, `kt plan check` and `kt plan buffers`; each has its answer in the first line. */

import { type BufferPlan, kongDirectives, kongPluginConfig } from '../plan/buffers.ts'
import type { CheckResult } from '../plan/check.ts'
import { type Instance, isCeiling, type RankedInstance } from '../plan/instances.ts'
import type { PlanChoices } from '../plan/plan.ts'
import type { Sizing } from '../plan/sizing.ts'
import { counted, formatBytes, formatCount, formatNumber, formatPercent } from '../units.ts'
import { compact, fitted, rows, span, trimmed } from './plan-words.ts'
import { indent, type Page } from './table.ts'

const ANSWERS = {
  pass: 'PASS: the run confirms the plan',
  fail: 'FAIL: the run does not confirm the plan',
  inconclusive: 'INCONCLUSIVE: the run does not decide it',
} as const

/** Whether a run confirms a plan, with the verdict in the first line. */
export function renderPlanCheck({ verdict, shareOfPlanned, busy, checks }: CheckResult, page: Page): string {
  const { width } = page
  return [
    ...fitted(
      `${ANSWERS[verdict]}; ${busy === undefined ? '' : 'by their CPU '}its workers passed ` +
        `${formatPercent(shareOfPlanned)} of what was planned for them`,
      width,
    ),
    '',
    ...indent(
      rows(
        [
          ['', 'planned', 'measured', ''],
          ...checks.map((check) => [check.name, check.planned, check.measured, check.verdict.toUpperCase()]),
        ],
        page,
        ['left', 'left', 'left', 'left'],
      ),
      2,
    ),
    ...checks.filter(({ why }) => why !== '').flatMap(({ name, why }) => fitted(`- ${name}: ${why}`, width)),
  ].join('\n')
}

/** The ranking of machines, with the cheapest in the first line. */
export function renderInstances(
  ranked: readonly RankedInstance[],
  { redundancy, parts }: PlanChoices,
  measuredOn: Instance | undefined,
  most: number,
  page: Page,
): string {
  const { width } = page
  const factor = `${span(redundancy)}x`
  const [best] = ranked
  if (!best) return 'no machine holds a worker'
  const shown = ranked.slice(0, most)
  const ceilings = ranked.filter(isCeiling)
  const cost = best.deploy.usdPerMonth === undefined ? '' : `, $${compact(best.deploy.usdPerMonth)} a month`
  const scaled = ranked.some(({ speed }) => speed !== undefined)
  return [
    ...fitted(
      `${compact(best.deploy.nodes)} ${best.instance.type}${cost}: ` +
        `cheapest of ${isCeiling(best) ? ceilings.length : ranked.length - ceilings.length}` +
        (isCeiling(best) ? ', at best: no bandwidth of these is guaranteed' : ''),
      width,
    ),
    '',
    ...rows(
      [
        ['', 'vCPU', ...(scaled ? ['speed'] : []), 'Gbit/s', 'nodes', '$/month', factor, 'binds', 'prices'],
        ...shown.map(({ instance, speed, nodes, deploy, binding }) => [
          instance.type,
          `${instance.vcpu} ${instance.vcpuIs}s`,
          ...(scaled ? [speed === undefined ? 'n/a' : trimmed(speed)] : []),
          `${instance.bandwidthIs === 'ceiling' ? '<=' : ''}${trimmed(instance.bandwidthGbps)}`,
          compact(deploy.nodes),
          deploy.usdPerMonth === undefined ? 'no price' : compact(Math.round(deploy.usdPerMonth)),
          compactSpan(nodes),
          binding,
          instance.priceDate,
        ]),
      ],
      page,
      ['left', 'right', ...(scaled ? (['right'] as const) : []), 'right', 'right', 'right', 'right', 'left', 'left'],
    ),
    '',
    ...notes(ranked, shown.length, parts.zones, factor, measuredOn, scaled).flatMap((note) =>
      fitted(`- ${note}`, width),
    ),
  ].join('\n')
}

function notes(
  ranked: readonly RankedInstance[],
  shown: number,
  zones: number,
  factor: string,
  measuredOn: Instance | undefined,
  scaled: boolean,
): string[] {
  return [
    ...(ranked.length > shown ? [`${ranked.length - shown} more with --all.`] : []),
    `${factor}: nodes by the vendor's flat factor. At least one node in each of ${zones} zones; ` +
      `list prices of that day (${regions(ranked).join(', ')}), ` +
      '730 hours a month, without traffic, disks and discounts.',
    ...(ranked.some(({ instance }) => instance.bandwidthIs === 'ceiling')
      ? [
          '<= is a ceiling: no sustained baseline is published, so the network may bind earlier. Such machines stand ' +
            'below the others, whatever they cost.',
        ]
      : []),
    scaled
      ? `speed: CoreMark per vCPU against ${measuredOn?.type} (${measuredOn?.vcpuIs}s), where both are of one ` +
        'source; n/a is taken as 1. A thread is half a core.'
      : 'A worker is taken to be as fast on every vCPU, be it a thread or a core: ' +
        (measuredOn
          ? `no CoreMark of ${measuredOn.type} comes from the same source as theirs, so nothing is scaled.`
          : 'give --measured-on to scale it by core speed.'),
  ]
}

function regions(ranked: readonly RankedInstance[]): string[] {
  return [...new Set(ranked.map(({ instance }) => instance.region))]
}

/** Both ends in one form, of thousands three digits. */
function compactSpan({ min, max }: { min: number; max: number }): string {
  const form = (value: number): string => (max < 1e4 ? compact(value) : formatCount(Number(value.toPrecision(3))))
  return min === max ? compact(min) : `${form(min)}-${form(max)}`
}

function promptRange({ promptFromBytes, promptBelowBytes }: BufferPlan['profile']): string {
  const from = promptFromBytes === 0 ? 'under' : `${formatBytes(promptFromBytes)} to`
  return `${from} ${formatBytes(promptBelowBytes)}`
}

/** A kind whose own prompts are larger than the guide's buffer for it. */
function spills({ profile, bufferBytes }: BufferPlan): string[] {
  return profile.promptBelowBytes <= bufferBytes
    ? []
    : [
        `${profile.name}: its prompts go up to ${formatBytes(profile.promptBelowBytes)}, over the guide's buffer: ` +
          'give --largest-prompt for one that holds yours.',
      ]
}

/** Buffer sizes: the answer, the table, and the directives to paste. */
export function renderBuffers(plans: readonly BufferPlan[], { buffers }: Sizing, page: Page): string {
  const { width } = page
  const [first] = plans
  if (!first) return 'no buffer profile'
  return [
    ...fitted(
      plans.length === 1
        ? `${first.profile.name}: bodies up to ${formatBytes(first.bodyBytes)}, ` +
            `a buffer of ${formatBytes(first.bufferBytes)}; ` +
            `${formatBytes(first.memory.fullBytes)} at ${counted(first.concurrency, 'request')} in flight`
        : `Buffers at ${counted(first.concurrency, 'request')} in flight, by kind of traffic`,
      width,
    ),
    '',
    ...indent(
      rows(
        [
          [
            '',
            'prompts',
            'body',
            'buffer',
            'all full',
            ...(first.memory.meanBytes === undefined ? [] : ['mean prompt', 'a worker']),
          ],
          ...plans.map((plan) => [
            plan.profile.name,
            promptRange(plan.profile),
            `${formatBytes(plan.profile.body.minBytes)} - ${formatBytes(plan.profile.body.maxBytes)}`,
            plan.bufferBytes > plan.profile.buffer.maxBytes
              ? formatBytes(plan.bufferBytes)
              : `${formatBytes(plan.profile.buffer.minBytes)} - ${formatBytes(plan.profile.buffer.maxBytes)}`,
            formatBytes(plan.memory.fullBytes),
            ...(plan.memory.meanBytes === undefined
              ? []
              : [formatBytes(plan.memory.meanBytes), formatBytes(plan.fullBytesPerWorker)]),
          ]),
        ],
        page,
      ),
      2,
    ),
    '',
    ...plans.flatMap((plan) => [
      `${plan.profile.name}, in kong.conf:`,
      ...Object.entries(kongDirectives(plan)).map(([name, value]) => `  ${name} = ${value}`),
      `and in the config of each AI plugin: max_request_body_size: ${kongPluginConfig(plan).max_request_body_size}`,
    ]),
    '',
    ...[
      'Over the buffer a body spills to disk, and plugins that read it fail; over the body limit it is ' +
        'refused (413). Without them nginx allows any size and buffers 8k, and the AI plugins (ai-proxy, ' +
        'ai-prompt-guard, ...) read 8 KiB of it, newer versions 1 MiB: that is their max_request_body_size.',
      ...plans.flatMap(spills),
      `At ${formatNumber(1_000)} concurrent requests 1 MB more of buffer is about 1 GB more of memory.`,
      ...plans.flatMap(({ profile }) => (profile.note ? [`${profile.name}: ${profile.note}`] : [])),
      `Source: ${buffers.source}`,
    ].flatMap((note) => fitted(`- ${note}`, width)),
  ].join('\n')
}
