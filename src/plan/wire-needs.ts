/**
 * What tokens are on the wire: bytes, events and packets, by whether they travel in a stream or in a JSON answer, and
 * the needs that follow from events and packets.
 */
import type { Demand } from './demand.ts'
import { figureInput, type PlanFigures } from './figures.ts'
import { catalogueInput, computedInput, demandInput, type Need, type NodeCapacity } from './need.ts'

/** Bytes of an output token in the mean: in an event of a stream, or in a JSON answer. */
export function bytesPerOutputToken({ request: { streamedShare } }: Demand, figures: PlanFigures): number {
  return streamedShare * figures.outputBytesPerToken.value + (1 - streamedShare) * figures.jsonBytesPerToken.value
}

export function eventsPerSec(demand: Demand, figures: PlanFigures): number {
  return demand.outputTokensPerSec * demand.request.streamedShare * figures.eventsPerToken.value
}

/** An event comes in as a packet of its own and goes out as one; every second one is acknowledged, on both sides. */
const PACKETS_PER_EVENT = 3
const BYTES_PER_PACKET = 1_400
const PACKETS_COUNTED = `${PACKETS_PER_EVENT} an event + bodies in packets of ${BYTES_PER_PACKET} B`

/** In and out together; bodies fill their packets. */
export function packetsPerSec(demand: Demand, figures: PlanFigures): number {
  const { inputTokensPerSec, outputTokensPerSec, request } = demand
  const json = outputTokensPerSec * (1 - request.streamedShare) * figures.jsonBytesPerToken.value
  const bodies = inputTokensPerSec * figures.inputBytesPerToken.value + json
  return eventsPerSec(demand, figures) * PACKETS_PER_EVENT + (2 * bodies) / BYTES_PER_PACKET
}

/** Gbit/s in the fuller direction: prompts in from clients and tokens in from the provider; prompts on, tokens on. */
export function bandwidthGbps(demand: Demand, figures: PlanFigures): number {
  const input = demand.inputTokensPerSec * figures.inputBytesPerToken.value
  const output = demand.outputTokensPerSec * bytesPerOutputToken(demand, figures)
  const misses = 1 - demand.cacheHitShare
  return (Math.max(input + output * misses, input * misses + output) * 8) / 1e9
}

/** What streams cost by the event. Runs of one's own have the events of their tokens in O_w. */
export function eventNeeds(demand: Demand, figures: PlanFigures, node: NodeCapacity): Need[] {
  const events = eventsPerSec(demand, figures)
  const packets = packetsPerSec(demand, figures)
  const streamed = [
    demandInput('output', demand.outputTokensPerSec, 'tokens/s', demand),
    demandInput('streamed share', demand.request.streamedShare, '', demand),
    figureInput(figures, 'eventsPerToken'),
  ]
  return [
    ...(events === 0 || figures.outputPerWorker.from === 'calibrated'
      ? []
      : [
          {
            name: 'events' as const,
            per: 'worker' as const,
            need: events / figures.eventsPerWorker.value,
            formula: 'output x streamed share x events per token / events/s per worker',
            inputs: [...streamed, figureInput(figures, 'eventsPerWorker')],
          },
        ]),
    ...(node.packetsPerSec === undefined
      ? []
      : [
          {
            name: 'packets' as const,
            per: 'node' as const,
            need: packets / node.packetsPerSec,
            formula: `(${PACKETS_COUNTED}) / packets/s of a node`,
            inputs: [
              ...streamed,
              computedInput('packets', packets, 'packets/s'),
              catalogueInput('packets/s of a node', node.packetsPerSec, 'packets/s', node.type, node.source),
            ],
          },
        ]),
  ]
}
