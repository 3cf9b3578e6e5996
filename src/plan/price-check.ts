/**
 * Whether a list of prices can be true: within a family a vCPU costs about the same in every size, so a price that is far off is
 * another operating system's, another unit's or a typing error. (A published list mixed prices of Windows into one family: twice.)
 */
import type { Instance } from './instances.ts'

/** Within a family, from its median. */
const FAMILY_SPREAD = 1.5
/** Against the catalogue: regions differ by less than this, units by more. */
const UNIT_SPREAD = 5

export function pricesThatCannotBe(prices: ReadonlyMap<string, number>, catalogue: readonly Instance[]): string[] {
  const families = new Map<string, { size: string; perVcpu: number; listed: number | undefined }[]>()
  for (const { type, family, vcpu, usdPerHour } of catalogue) {
    const price = prices.get(type)
    if (price === undefined) continue
    const listed = usdPerHour === undefined ? undefined : usdPerHour / vcpu
    families.set(family, [...(families.get(family) ?? []), { size: type, perVcpu: price / vcpu, listed }])
  }
  return [...families].flatMap(([family, sizes]) => {
    const median = medianOf(sizes.map(({ perVcpu }) => perVcpu))
    return sizes.flatMap(({ size, perVcpu, listed }) => {
      if (listed !== undefined && apart(perVcpu, listed) > UNIT_SPREAD) {
        const unit = perVcpu / listed > 100 ? ' (a price per month?)' : ''
        return [
          `${size}: ${amount(perVcpu)} USD a vCPU-hour, where ${amount(listed)} is listed: the unit cannot be USD an hour${unit}`,
        ]
      }
      return apart(perVcpu, median) > FAMILY_SPREAD
        ? [
            `${size}: ${amount(perVcpu)} USD a vCPU-hour, where ${family} costs ${amount(median)}: another system's price, or a typing error`,
          ]
        : []
    })
  })
}

function apart(a: number, b: number): number {
  return Math.max(a / b, b / a)
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return ((sorted[Math.floor((sorted.length - 1) / 2)] ?? 0) + (sorted[Math.ceil((sorted.length - 1) / 2)] ?? 0)) / 2
}

function amount(value: number): string {
  return String(Number(value.toPrecision(3)))
}
