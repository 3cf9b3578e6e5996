/** The workers of a fleet, a line each, and what is wrong with them before a run finds out. */
import type { FleetStatus } from '../report/fleet-schema.ts'
import { counted, formatMs, formatNumber } from '../units.ts'
import { columns, type Page, paragraph } from './table.ts'

export function renderFleetStatus({ kt, broker, workers, kept }: FleetStatus, page: Page): string {
  const free = workers.filter(({ run }) => run === null).length
  const apart = workers.filter(({ version }) => version !== kt).map(({ name, version }) => `${name} (${version})`)
  const lines = [paragraph(`${counted(workers.length, 'fleet worker')} at ${broker}, ${formatNumber(free)} free`, page)]
  if (workers.length > 0) {
    const rows = workers.map((worker) => [
      worker.name,
      worker.version,
      String(worker.cores),
      formatNumber(worker.load, 2),
      worker.offsetMs === null ? 'no answer' : `${formatMs(worker.offsetMs)} ±${formatMs(worker.offsetErrorMs ?? 0)}`,
      worker.roundTripMs === null ? '' : formatMs(worker.roundTripMs),
      Object.entries(worker.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(','),
      worker.run ?? 'free',
    ])
    const head = ['worker', 'kt', 'cores', 'load', 'clock ms', 'round trip ms', 'labels', 'run']
    const align = ['left', 'left', 'right', 'right', 'right', 'right', 'left', 'left'] as const
    lines.push(columns([head, ...rows], { width: page.width, align, spare: [6, 3, 5] }))
  }
  if (apart.length > 0)
    lines.push(paragraph(`Another version than this kt ${kt}, so refused: ${apart.join(', ')}`, page))
  if (kept.length > 0) lines.push(paragraph(`Results to collect (kt fleet collect RUN): ${kept.join(', ')}`, page))
  return lines.join('\n')
}
