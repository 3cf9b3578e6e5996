/** Percentiles as people write them. */
import { failure, type Result, success } from '../errors.ts'

/** '99.9' -> 0.999; undefined for what is not between 0 and 100. */
export function parsePercentile(text: string): number | undefined {
  const percent = /^\s*p?\d+(?:\.\d+)?\s*$/i.test(text) ? Number(text.trim().replace(/^p/i, '')) : Number.NaN
  return percent > 0 && percent < 100 ? percent / 100 : undefined
}

/** '50,90,99.9' -> a value for each part; `words` names what else a part may be. */
export function parseEach<T>(given: string, read: (part: string) => T | undefined, words = ''): Result<T[]> {
  const values: T[] = []
  for (const part of given.split(',')) {
    const value = read(part)
    if (value === undefined) {
      const next = `Give numbers between 0 and 100, such as '50,90,95,99'${words}.`
      return failure(`'${part.trim()}' is not a percentile`, next)
    }
    values.push(value)
  }
  return success(values)
}
