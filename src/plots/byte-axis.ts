/** An axis of bytes: its steps are round in KiB, MiB or GiB, where the library's own are round in thousands. */

const ROUND = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_024]
/** About as many steps as other axes have. */
const STEPS = 4
/** Smaller steps than this part of the highest value would be written alike. */
const FINEST = 1 / 20

interface Scale {
  min: number
  max: number
  interval: number
}

/** Ends and step for these values; `from` where the axis begins at a value that was asked for. */
export function byteScale(values: readonly number[], from?: number): Scale | undefined {
  if (values.length === 0) return undefined
  const [low, high] = [from ?? Math.min(...values), Math.max(...values)]
  const rough = Math.max((high - low) / STEPS, high * FINEST, 1)
  const unit = 1_024 ** Math.floor(Math.log2(rough) / 10)
  const interval = unit * (ROUND.find((step) => step * unit >= rough) ?? 1_024)
  const min = Math.floor(low / interval) * interval
  return { min, max: Math.max(Math.ceil(high / interval) * interval, min + interval), interval }
}
