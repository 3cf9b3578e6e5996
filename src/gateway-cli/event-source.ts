/**
 * The events that `kt events` reads. `stats` takes the file that is named, else the file that the running gateway
 * writes, else what the gateway still keeps in memory, which reaches back only so far; `tail` follows the running
 * gateway.
 */
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { UserError } from '../errors.ts'
import { systemReason } from '../parse/system-reason.ts'
import { counted } from '../units.ts'
import { type GatewayEvent, parseEvent } from '../wire/gateway-event.ts'
import { AdminClient, type AdminOptions, eventSourceSchema } from './client.ts'

interface EventSource {
  /** For people: 'events.ndjson', 'the last 8,192 that the gateway keeps'. */
  name: string
  lines: AsyncIterable<string>
}

export async function openEventSource(
  options: AdminOptions & { file: string | undefined },
  since: string,
): Promise<EventSource> {
  const { file } = options
  if (file !== undefined) return { name: file, lines: eventFileLines(file, since) }
  const client = new AdminClient(options)
  const { events } = await client.fetch('GET', '/stats', eventSourceSchema)
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

/**
 * The lines of the event file `path`, the oldest first: rotated files come before it, but for those that were last
 * written before `since`.
 */
async function* eventFileLines(path: string, since: string): AsyncGenerator<string> {
  const rotated: string[] = []
  for (let n = 1; existsSync(`${path}.${n}`); n++) rotated.unshift(`${path}.${n}`)
  const wanted = rotated.filter((file) => statSync(file).mtime.toISOString() >= since)
  try {
    for (const file of [...wanted, path]) yield* createInterface({ input: createReadStream(file), crlfDelay: Infinity })
  } catch (error) {
    throw new UserError(
      `cannot read the event file ${path}: ${systemReason(error)}`,
      'Check the path and its permissions.',
    )
  }
}

/** The running gateway's events as they happen; `note` hears how many were dropped because this reader was behind. */
export async function* followEvents(
  client: AdminClient,
  signal: AbortSignal,
  most: number | undefined,
  note: (text: string) => void,
): AsyncGenerator<GatewayEvent> {
  let left = most ?? Number.POSITIVE_INFINITY
  for await (const line of client.lines('/events', signal)) {
    const event = parseEvent(line)
    if (!event) continue
    if (event.dropped_before > 0) note(`${counted(event.dropped_before, 'event was', 'events were')} dropped here`)
    yield event
    if (--left === 0) return
  }
  if (!signal.aborted) note('the gateway has ended')
}
