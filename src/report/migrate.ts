/**
 * Reports of earlier versions in today's shape. No other file knows the shape of `kt.bench/1`: the figures of the
 * first arm stood at the top level, those of the baseline in `arms.baseline`, and the blocks of both in one list. What
 * cannot be migrated is left as it is, and the schema names it.
 */
import { armSchema } from './arm-schema.ts'

/** Keys that versions with `kt.bench/1` wrote under another name, by the path of the object that holds them. */
const RENAMED_KEYS: readonly { at: readonly string[]; from: string; to: string }[] = [
  { at: [], from: 'looks', to: 'interimAnalyses' },
  ...[[], ['arms', 'baseline']].flatMap((arm) => [
    { at: arm, from: 'legsMs', to: 'oneWayMs' },
    { at: [...arm, 'oneWayMs'], from: 'request', to: 'requestPath' },
    { at: [...arm, 'oneWayMs'], from: 'response', to: 'responsePath' },
    { at: [...arm, 'totals'], from: 'rested', to: 'idleFirst' },
  ]),
]

type Fields = Record<string, unknown>

/** By the schema that a report names: how to bring it to the schema of today. */
export const MIGRATIONS: ReadonlyMap<string | undefined, (report: Fields) => Fields> = new Map([
  ['kt.bench/1', (report) => toArms(RENAMED_KEYS.reduce((old, { at, from, to }) => rename(old, at, from, to), report))],
])

/** A key of today is never overwritten, so that a report with both is refused. */
function rename(value: Fields, at: readonly string[], from: string, to: string): Fields {
  const [key, ...deeper] = at
  if (key !== undefined) {
    const inner = value[key]
    return isObject(inner) ? { ...value, [key]: rename(inner, deeper, from, to) } : value
  }
  if (!(from in value) || to in value) return value
  const { [from]: renamed, ...others } = value
  return { ...others, [to]: renamed }
}

function toArms(report: Fields): Fields {
  const entries = Object.entries(report)
  const { arms, target, blocks, ...shared } = Object.fromEntries(entries.filter(([key]) => !isFigure(key)))
  const figures = Object.fromEntries(entries.filter(([key]) => isFigure(key)))
  if (!isObject(arms) || !isObject(target)) return { ...report, schema: 'kt.bench/2' }
  const { pairId, mode, primary, baselineUrl: _, baseline, ...turns } = arms
  const { url, role, gateway, ...sent } = target
  const first = withBlocks({ name: primary, url, role, ...(gateway ? { gateway } : {}), ...figures }, blocks)
  const second = isObject(baseline) ? [withBlocks({ ...toBaseline(baseline), baseline: true }, blocks)] : []
  return {
    ...shared,
    schema: 'kt.bench/2',
    target: sent,
    runId: pairId,
    ...(mode === 'paired' ? { pairing: 'block' } : {}),
    ...turns,
    arms: [first, ...second],
  }
}

/** What of an arm stood elsewhere than at the top level. */
const ELSEWHERE = ['name', 'url', 'role', 'gateway', 'baseline', 'blocks']

function isFigure(key: string): boolean {
  return Object.hasOwn(armSchema.shape, key) && !ELSEWHERE.includes(key)
}

/** A direct arm had no role, nor had any arm the name of its gateway. */
function toBaseline(arm: Fields): Fields {
  const gateway = isObject(arm.signals) && arm.signals.gateway
  const role = arm.name === 'direct' ? 'direct' : gateway ? 'gateway' : 'unknown'
  return { role, ...(gateway ? { gateway } : {}), ...arm }
}

function withBlocks(arm: Fields, blocks: unknown): Fields {
  if (!Array.isArray(blocks)) return arm
  const own = blocks.filter((block): block is Fields => isObject(block) && block.arm === arm.name)
  return { ...arm, blocks: own.map(({ arm: _, ...block }) => block) }
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
