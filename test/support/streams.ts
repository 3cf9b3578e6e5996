/** The provider streams recorded in fixtures/streams: one JSON payload a line, as the provider sent them. */
import { readdirSync, readFileSync } from 'node:fs'

const folder = new URL('../../fixtures/streams/', import.meta.url)
const ENDING = '.chunks.txt'

/** The name of each recorded stream: 'openai-text', 'google-text', ... */
export const streamNames: readonly string[] = readdirSync(folder)
  .filter((file) => file.endsWith(ENDING))
  .map((file) => file.slice(0, -ENDING.length))

/** The payload of each event of a stream, as text. */
export function streamPayloads(name: string): string[] {
  return readFileSync(new URL(`${name}${ENDING}`, folder), 'utf8')
    .split('\n')
    .filter(Boolean)
}

/** The payload of each event of a stream, parsed. */
export function streamObjects(name: string): Record<string, unknown>[] {
  return streamPayloads(name).map((payload) => JSON.parse(payload) as Record<string, unknown>)
}

/** The payloads as server-sent events, without an end mark. */
export function asEvents(payloads: readonly string[]): string {
  return payloads.map((payload) => `data: ${payload}\n\n`).join('')
}
