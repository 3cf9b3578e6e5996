/**
 * A provider that stops answering for a while again and again (100 ms in every second, say), as one does in a garbage
 * collection or behind a throttled CPU: the case that coordinated omission hides. What falls due in a stall leaves at its end.
 */
import { parseDurationMs } from '../units.ts'

export interface StallPlan {
  forUs: number
  everyUs: number
}

/** '100ms/1s': silent for the last 100 ms of every second. Undefined where that is not what `text` says. */
export function parseStall(text: string): StallPlan | undefined {
  const [forMs, everyMs, ...rest] = text.split('/').map((part) => parseDurationMs(part))
  if (forMs === undefined || everyMs === undefined || rest.length > 0) return undefined
  if (forMs <= 0 || forMs >= everyMs) return undefined
  return { forUs: forMs * 1_000, everyUs: everyMs * 1_000 }
}

export class Stalls {
  readonly #plan: StallPlan
  readonly #startUs: number

  /** Each period, counted from `startUs`, ends with its stall. */
  constructor(plan: StallPlan, startUs: number) {
    this.#plan = plan
    this.#startUs = startUs
  }

  /** When the stall that `atUs` lies in ends; undefined outside of one. */
  endUs(atUs: number): number | undefined {
    const { forUs, everyUs } = this.#plan
    const leftUs = everyUs - ((atUs - this.#startUs) % everyUs)
    return leftUs <= forUs ? atUs + leftUs : undefined
  }
}
