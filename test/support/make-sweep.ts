/** A valid report of an invented sweep. */
import type { SweepLevel, SweepReport } from '../../src/report/sweep-schema.ts'
import { sweepSchema } from '../../src/report/sweep-schema.ts'
import { findFrontier, findKnee } from '../../src/stats/curve.ts'

/** A level whose gateway adds `addedMs` at P99; none where that is not known. */
export function makeLevel(level: number, addedMs: number | undefined, more: Partial<SweepLevel> = {}): SweepLevel {
  const pair = { p50: 5 + level / 10, p99: 12 + level }
  return {
    level,
    ...{ requests: 500, failed: 0, achievedRps: 100 * level, throughputError: 0.1, eventsPerSec: 0 },
    ...{ inputTokensPerSec: 1_100 * level, outputTokensPerSec: 267.2 * level, bytesPerSec: 40_000 * level },
    ...{ tokenSource: 'usage', inFlight: { mean: level, max: level } },
    ...{ gateway: { cpuCores: 0.2, rssBytes: 90_000_000 }, latencyMs: pair, ttftMs: null, tpotMs: null },
    interTokenMs: null,
    overheadMs: addedMs === undefined ? null : { p50: addedMs / 4, p99: addedMs, ci95: [addedMs * 0.8, addedMs * 1.3] },
    ...{ client: 'ok', achievedToOffered: null, steady: true, skippedBlocks: 0 },
    ...more,
  }
}

export function makeSweep(levels: SweepLevel[], change: (report: SweepReport) => void = () => {}): SweepReport {
  const report: SweepReport = {
    schema: 'kt.sweep/1',
    kt: { version: '0.1.0', gitSha: null },
    startedAt: '2026-11-01T03:00:00.000Z',
    ...{ command: 'kt bench sweep', interrupted: false, machine: { cpuModel: 'Test CPU', cores: 2, node: 'v24' } },
    target: {
      ...{ url: 'http://127.0.0.1:41002/v1/chat/completions', endpoint: 'chat', model: 'gpt-4o-mini' },
      ...{ stream: false, role: 'gateway', gateway: 'kt reference gateway' },
    },
    load: { mode: 'closed', levels: levels.map(({ level }) => level), stepS: 5, seed: 1, options: {} },
    workload: { name: 'prompt', sha256: 'a'.repeat(64) },
    overheadSource: 'provider-stamped',
    scaling: null,
    curves: [
      {
        gatewayWorkers: 1,
        levels,
        knee: findKnee(levels, 'closed') ?? null,
        frontier: findFrontier(levels),
        until: null,
      },
    ],
  }
  change(report)
  return sweepSchema.parse(report)
}
