/** Buffer sizes as text: the answer, the table, the directives to paste. */
import { type BufferPlan, kongDirectives } from '../plan/buffers.ts'
import type { Sizing } from '../plan/sizing.ts'
import { formatBytes, formatNumber } from '../units.ts'
import { counted, PLAN_WIDTH, rows } from './plan-words.ts'
import { indent, wrap } from './text.ts'

export function renderBuffers(plans: readonly BufferPlan[], { buffers }: Sizing): string {
  const [first] = plans
  if (!first) return 'no buffer profile'
  return [
    plans.length === 1
      ? `${first.profile.name}: bodies up to ${formatBytes(first.bodyBytes)}, a buffer of ${formatBytes(first.bufferBytes)}; ${formatBytes(first.memory.fullBytes)} at ${counted(first.concurrency, 'request')} in flight`
      : `Buffers at ${counted(first.concurrency, 'request')} in flight, by kind of traffic`,
    '',
    ...indent(
      rows([
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
          `${plan.profile.promptFromBytes === 0 ? 'under' : `${formatBytes(plan.profile.promptFromBytes)} to`} ${formatBytes(plan.profile.promptBelowBytes)}`,
          `${formatBytes(plan.profile.body.minBytes)} - ${formatBytes(plan.profile.body.maxBytes)}`,
          `${formatBytes(plan.profile.buffer.minBytes)} - ${formatBytes(plan.profile.buffer.maxBytes)}`,
          formatBytes(plan.memory.fullBytes),
          ...(plan.memory.meanBytes === undefined
            ? []
            : [formatBytes(plan.memory.meanBytes), formatBytes(plan.fullBytesPerWorker)]),
        ]),
      ]),
      2,
    ),
    '',
    ...plans.flatMap((plan) => [
      `${plan.profile.name}, in kong.conf:`,
      ...Object.entries(kongDirectives(plan)).map(([name, value]) => `  ${name} = ${value}`),
    ]),
    '',
    ...[
      'Over the buffer a body spills to disk, and plugins that read it fail; over the body limit it is refused (413). Without them Kong allows any size and buffers 8k.',
      `At ${formatNumber(1_000)} concurrent requests 1 MB more of buffer is about 1 GB more of memory.`,
      ...plans.flatMap(({ profile }) => (profile.note ? [`${profile.name}: ${profile.note}`] : [])),
      `Source: ${buffers.source}`,
    ].flatMap((note) => wrap(`- ${note}`, PLAN_WIDTH, 2)),
  ].join('\n')
}
