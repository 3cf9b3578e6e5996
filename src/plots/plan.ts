/** A plan in pictures: what each constraint needs, what growth brings, waiting and cost. */
import type { Plan } from '../report/plan-schema.ts'
import { cell, formatOf } from './formats.ts'
import { COLORS, type Color, type Plot } from './plot.ts'

export function planPlots(plan: Plan): Plot[] {
  return [constraintPlot(plan), growthPlot(plan), ...waitingPlots(plan), ...costPlots(plan)]
}

function constraintPlot({ constraints, answer }: Plan): Plot {
  const [first] = constraints
  return {
    id: 'constraints',
    title: 'Nodes that each constraint needs',
    says: `${answer.binding} binds: it needs ${formatOf('plain')(first?.nodes ?? 0)} nodes; ${answer.next} comes next.`,
    x: { name: 'nodes for the peak, before rounding', unit: 'plain', scale: 'linear', min: 0 },
    panels: [
      {
        y: { name: '', unit: 'plain', scale: 'category', categories: constraints.map(({ name }) => name) },
        series: [{ kind: 'bars', name: 'nodes', color: COLORS.gateway, values: constraints.map(({ nodes }) => nodes) }],
      },
    ],
    table: {
      head: ['constraint', 'needs', 'of', 'nodes', 'formula'],
      rows: constraints.map(({ name, need, per, nodes, formula }) => [
        name,
        cell(need, 'plain'),
        per === 'worker' ? 'workers' : 'nodes',
        cell(nodes, 'plain'),
        formula,
      ]),
    },
  }
}

const GROWTH = [1, 1.25, 1.5, 2, 2.5, 3, 4]

/** Every need is proportional to the demand, so a plan tells what each multiple of it would need. */
function growthPlot({ constraints, nodes }: Plan): Plot {
  const shown = constraints.slice(0, 4)
  const rounded = (times: number): number => Math.ceil(Math.max(...constraints.map((one) => one.nodes)) * times)
  return {
    id: 'growth',
    title: 'What growth of the demand needs',
    says:
      `${rounded(1)} ${nodes.type} carry the peak of today, ${rounded(2)} twice and ${rounded(4)} four times as ` +
      'much, before redundancy.',
    x: { name: 'times the demand of today', unit: 'plain', scale: 'linear', min: 1, max: 4 },
    panels: [
      {
        y: { name: 'nodes', unit: 'plain', scale: 'linear', min: 0 },
        series: shown.map((one, index) => ({
          kind: 'line',
          name: one.name,
          color: index as Color,
          dashed: index > 0,
          dots: index === 0,
          points: GROWTH.map((times) => [times, one.nodes * times] as const),
        })),
      },
    ],
    table: {
      head: ['times', ...shown.map(({ name }) => name), 'nodes to buy'],
      rows: GROWTH.map((times) => [
        cell(times, 'plain'),
        ...shown.map((one) => cell(one.nodes * times, 'plain')),
        cell(rounded(times), 'count'),
      ]),
    },
  }
}

function waitingPlots({ waiting }: Plan): Plot[] {
  const carried = waiting.filter(({ perWorkerP99Ms }) => perWorkerP99Ms !== undefined)
  if (carried.length < 2) return []
  return [
    {
      id: 'waiting',
      title: 'Waiting for a worker',
      says: 'Latency that waiting for a worker adds at P99, by the number of workers: with a queue each, and with one.',
      x: { name: 'workers', unit: 'count', scale: 'category', categories: waiting.map(({ workers }) => `${workers}`) },
      panels: [
        {
          y: { name: 'added P99 (ms)', unit: 'ms', scale: 'linear', min: 0 },
          series: [
            {
              kind: 'bars',
              name: 'a queue for each worker',
              color: COLORS.gateway,
              values: waiting.map(({ perWorkerP99Ms }) => perWorkerP99Ms ?? null),
            },
            {
              kind: 'bars',
              name: 'one queue',
              color: COLORS.baseline,
              values: waiting.map(({ pooledP99Ms }) => pooledP99Ms ?? null),
            },
          ],
        },
      ],
      table: {
        head: ['workers', 'utilisation', 'P99, a queue each', 'mean, a queue each', 'P99, one queue'],
        rows: waiting.map(({ workers, utilisation, perWorkerP99Ms, perWorkerMeanMs, pooledP99Ms }) => [
          cell(workers, 'count'),
          cell(utilisation, 'share'),
          cell(perWorkerP99Ms, 'ms'),
          cell(perWorkerMeanMs, 'ms'),
          cell(pooledP99Ms, 'ms'),
        ]),
      },
    },
  ]
}

function costPlots({ cost }: Plan): Plot[] {
  if (!cost) return []
  const { parts, usdPerMonth, prices } = cost
  return [
    {
      id: 'cost',
      title: 'Cost of a month',
      says: `${formatOf('usd')(usdPerMonth)} a month at list prices of ${prices.region} (${prices.date}).`,
      x: { name: 'USD a month', unit: 'usd', scale: 'linear', min: 0 },
      panels: [
        {
          y: { name: '', unit: 'plain', scale: 'category', categories: parts.map(({ name }) => name) },
          series: [
            { kind: 'bars', name: 'a month', color: COLORS.gateway, values: parts.map((part) => part.usdPerMonth) },
          ],
        },
      ],
      table: {
        head: ['part', 'a month', 'why'],
        rows: parts.map(({ name, usdPerMonth: usd, why }) => [name, cell(usd, 'usd'), why]),
      },
    },
  ]
}
