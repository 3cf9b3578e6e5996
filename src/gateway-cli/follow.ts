/** The running gateway's events as they happen. What it had to drop, because this reader was behind, is said. */
import type { AdminClient } from './client.ts'
import { type GatewayEvent, parseEvent } from './event.ts'

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
    if (event.dropped_before > 0) note(`${event.dropped_before} events were dropped here`)
    yield event
    if (--left === 0) return
  }
  if (!signal.aborted) note('the gateway has ended')
}
