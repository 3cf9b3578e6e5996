/**
 * The one parser and the one printer of quantities with units: '300s', '4KB', '80M', '7ms'.
 * Parsers return undefined for what they do not understand, so that the edge (flag, YAML key) can word the error.
 * Bytes: KB and KiB are both 1,024, as in proxy configurations (nginx, Kong) whose values kt reads.
 * Counts: k, M, G, T are powers of 1,000; a byte suffix is not a count ('80MB' tokens is refused).
 */

const DURATION_MS: Record<string, number> = {
  us: 0.001,
  µs: 0.001,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
const BYTES: Record<string, number> = {
  b: 1,
  kb: 1024,
  kib: 1024,
  mb: 1024 ** 2,
  mib: 1024 ** 2,
  gb: 1024 ** 3,
  gib: 1024 ** 3,
}
const COUNT: Record<string, number> = { k: 1e3, K: 1e3, M: 1e6, G: 1e9, B: 1e9, T: 1e12 }

const SHARE = /^(\d+(?:\.\d+)?|\.\d+)\s*(%)?$/
const QUANTITY = /^((?:\d+(?:[_,]\d{3})*(?:\.\d+)?|\.\d+)(?:e\+?\d+)?)\s*([a-zµ]*)$/i
/** '1h30m', '2m 5s': from the largest unit down. */
const COMPOUND = /^(?:\d+d)?\s*(?:\d+h)?\s*(?:\d+m(?!s))?\s*(?:\d+(?:\.\d+)?s)?$/
const PART = /[\d.]+[dhms]/g

function split(text: string): { value: number; unit: string } | undefined {
  const match = QUANTITY.exec(text.trim())
  if (!match?.[1]) return undefined
  const value = Number(match[1].replaceAll(/[_,]/g, ''))
  return Number.isFinite(value) ? { value, unit: match[2] ?? '' } : undefined
}

/**
 * '300s' -> 300000, '7ms' -> 7, '1h30m' -> 5400000. A bare number is taken in `bareUnit` (refused when none is given,
 * except 0).
 */
export function parseDurationMs(text: string, bareUnit?: 'ms' | 's'): number | undefined {
  const quantity = split(text)
  if (!quantity) return sumOfParts(text.trim())
  if (quantity.unit === '') {
    if (quantity.value === 0) return 0
    return bareUnit ? quantity.value * (bareUnit === 's' ? 1_000 : 1) : undefined
  }
  const factor = DURATION_MS[quantity.unit]
  return factor === undefined ? undefined : quantity.value * factor
}

/** '1h30m' -> 5400000. */
function sumOfParts(text: string): number | undefined {
  const parts = COMPOUND.test(text) ? (text.match(PART) ?? []) : []
  if (parts.length < 2) return undefined
  return parts.reduce((sum, part) => sum + Number.parseFloat(part) * (DURATION_MS[part.slice(-1)] ?? 0), 0)
}

/** '4KB' -> 4096, '16MiB' -> 16777216, '512' -> 512. Whole bytes only. */
export function parseBytes(text: string): number | undefined {
  const quantity = split(text)
  if (!quantity) return undefined
  const factor = quantity.unit === '' ? 1 : BYTES[quantity.unit.toLowerCase()]
  const bytes = factor === undefined ? Number.NaN : quantity.value * factor
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** '80M' -> 80000000, '1.5k' -> 1500, '10_000' -> 10000, '1e3' -> 1000. */
export function parseCount(text: string): number | undefined {
  const quantity = split(text)
  if (!quantity) return undefined
  const factor = quantity.unit === '' ? 1 : COUNT[quantity.unit]
  if (factor === undefined) return undefined
  // A decimal mantissa times a power of ten is exact in decimal: 1.1 x 1e6 must not print as 1100000.0000000001.
  return Number((quantity.value * factor).toPrecision(15))
}

/** '1%' -> 0.01, '0.05 %' -> 0.0005, '0.25' -> 0.25. A share of one: nothing above it. */
export function parseShare(text: string): number | undefined {
  const match = SHARE.exec(text.trim())
  if (!match?.[1]) return undefined
  // Divided in decimal: 0.1 % is 0.001 and not 0.0010000000000000002.
  const share = match[2] ? Number((Number(match[1]) / 100).toPrecision(15)) : Number(match[1])
  return share <= 1 ? share : undefined
}

/** Thousands separated by commas: 1230.4 -> '1,230'; `digits` decimals. */
export function formatNumber(value: number, digits = 0): string {
  const [whole = '', fraction] = Math.abs(value).toFixed(digits).split('.')
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',')
  const zero = Number(value.toFixed(digits)) === 0
  return `${value < 0 && !zero ? '-' : ''}${grouped}${fraction ? `.${fraction}` : ''}`
}

/** US dollars, with the decimals that a small sum needs: '$5.00', '$0.0158', '$0.000012'. */
export function formatUsd(usd: number): string {
  if (usd >= 1 || usd === 0) return `$${formatNumber(usd, 2)}`
  return `$${usd >= 0.001 ? formatNumber(usd, 4) : Number(usd.toPrecision(2)).toFixed(9).replace(/0+$/, '')}`
}

/** '1 request', '1,200 requests'; `nouns` is the plural where that is more than an s. */
export function counted(count: number, noun: string, nouns = `${noun}s`): string {
  return `${formatNumber(count)} ${count === 1 ? noun : nouns}`
}

/** Milliseconds with three to four significant figures, never below a microsecond: 0.042, 1.24, 48.1, 1,230. */
export function formatMs(ms: number): string {
  if (!Number.isFinite(ms)) return ms > 0 ? 'inf' : 'n/a'
  const size = Math.abs(ms)
  return formatNumber(ms, size < 1 ? 3 : size < 10 ? 2 : size < 100 ? 1 : 0)
}

/** A duration for people: 7 ms, 12.3 s, 2 min, 1.5 h. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${formatMs(ms)} ms`
  if (ms < 120_000) return `${trimZeros(formatNumber(ms / 1_000, 1))} s`
  if (ms < 7_200_000) return `${trimZeros(formatNumber(ms / 60_000, 1))} min`
  return `${trimZeros(formatNumber(ms / 3_600_000, 1))} h`
}

/** A limit as it was given: '7 ms', '0.5 ms', '2 s', '1.25 s'. */
export function formatLimit(ms: number): string {
  const [value, unit] = ms < 1_000 ? [ms, 'ms'] : [ms / 1_000, 's']
  return `${Number(value.toPrecision(6))} ${unit}`
}

/** 80000000 -> '80M', 1500 -> '1.5k', 999 -> '999'. At most three significant decimals are kept. */
export function formatCount(value: number): string {
  for (const [suffix, factor] of [
    ['T', 1e12],
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const) {
    if (Math.abs(value) >= factor) return `${trimZeros(formatNumber(value / factor, 2))}${suffix}`
  }
  return trimZeros(formatNumber(value, 2))
}

/** 4096 -> '4 KiB', 1610612736 -> '1.5 GiB'. */
export function formatBytes(bytes: number): string {
  for (const [suffix, factor] of [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const) {
    if (Math.abs(bytes) >= factor) return `${trimZeros(formatNumber(bytes / factor, 1))} ${suffix}`
  }
  return `${formatNumber(bytes)} B`
}

/** A share of one as a percentage: 0.0005 -> '0.05 %', 0.125 -> '12.5 %'. */
export function formatShare(share: number): string {
  if (!Number.isFinite(share)) return 'n/a'
  const percent = Math.abs(share) * 100
  const digits = percent === 0 ? 0 : percent < 0.01 ? 4 : percent < 0.1 ? 3 : percent < 10 ? 2 : 1
  return `${trimZeros(formatNumber(share * 100, digits))} %`
}

/** The same to a tenth of a percent, as plans are told: 0.00049 -> '0 %', 0.1234 -> '12.3 %'. */
export function formatPercent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}
