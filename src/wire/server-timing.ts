/**
 * The `Server-Timing` response header (W3C): `name;dur=<ms>;desc="…"`, several entries separated by commas. Durations
 * come back in microseconds.
 */
const METRIC = /([!#$%&'*+\-.^_`|~\w]+)((?:\s*;\s*[\w-]+\s*(?:=\s*(?:"(?:[^"\\]|\\.)*"|[^;,\s"]*))?)*)/g
const DURATION = /;\s*dur\s*=\s*"?([\d.]+(?:e[+-]?\d+)?)"?/i

/** name -> microseconds, for every metric that has a duration. The later value wins where a name comes twice. */
export function parseServerTiming(header: string | string[] | undefined): Map<string, number> {
  const durations = new Map<string, number>()
  if (header === undefined) return durations
  for (const match of (Array.isArray(header) ? header.join(', ') : header).matchAll(METRIC)) {
    const ms = Number(DURATION.exec(match[2] ?? '')?.[1] ?? Number.NaN)
    if (match[1] && Number.isFinite(ms)) durations.set(match[1], ms * 1_000)
  }
  return durations
}
