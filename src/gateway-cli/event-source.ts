/**
 * Where `kt events stats` gets its events: the file that is named, else the file that the running gateway writes, else what
 * the gateway still keeps in memory, which reaches back only so far.
 */
import { existsSync } from 'node:fs'
import { UserError } from '../errors.ts'
import { eventSourceSchema } from './answers.ts'
import { type AdminAddress, AdminClient } from './client.ts'
import { eventFileLines } from './event-file.ts'

export interface EventSource {
  /** For people: 'events.ndjson', 'the last 8,192 that the gateway keeps'. */
  name: string
  lines: AsyncIterable<string>
}

export async function openEventSource(
  given: { file: string | undefined; admin: AdminAddress },
  since: string,
): Promise<EventSource> {
  if (given.file !== undefined) return { name: given.file, lines: eventFileLines(given.file, since) }
  const client = new AdminClient(given.admin)
  const { events } = await client.ask('GET', '/stats', eventSourceSchema)
  if (!events) {
    throw new UserError(
      'this gateway emits no events',
      'Set gateway.events.enabled: true in its config, or give --file.',
    )
  }
  if (events.file !== null && existsSync(events.file)) {
    return { name: events.file, lines: eventFileLines(events.file, since) }
  }
  return { name: `the newest ${events.kept}, which the gateway keeps in memory`, lines: client.lines('/events/recent') }
}
