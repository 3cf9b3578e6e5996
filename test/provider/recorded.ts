/** The recorded provider streams beside the project, and the shape of JSON to compare with theirs. */
import { existsSync, readFileSync } from 'node:fs'

const folder = new URL('../../../shared/data/streams/', import.meta.url)

/** Tests that compare with recorded streams are skipped where these are absent. */
export const noRecordings = !existsSync(folder)

export function recordedEvents(name: string): Record<string, unknown>[] {
  const lines = readFileSync(new URL(`${name}.chunks.txt`, folder), 'utf8').split('\n')
  return lines.filter(Boolean).map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** Every place in `value` with the type of what is there: 'usage.output_tokens: number'. */
export function placesOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return [`${path}: array`, ...value.flatMap((item) => placesOf(item, `${path}[]`))]
  if (typeof value !== 'object' || value === null) return [`${path}: ${value === null ? 'null' : typeof value}`]
  return Object.entries(value).flatMap(([key, inner]) => placesOf(inner, path ? `${path}.${key}` : key))
}
