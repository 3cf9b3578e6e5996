/** Reads the sizing figures that the planner works with: profiles/sizing/kong.yaml, or the user's copy of it. */
import { z } from 'zod'
import { failure, success } from '../errors.ts'
import { readYaml } from '../parse/file.ts'
import { bytesWithUnit as bytes, durationMs, numberOrZero, parsedBy, positiveNumber } from '../parse/quantity.ts'
import { allocatableMemoryBytes, allocatableMillicores, memorySource } from '../plan/allocatable.ts'
import type { Figure, PlanFigures } from '../plan/figures.ts'
import type { Sizing } from '../plan/sizing.ts'
import { packaged } from '../system/machine.ts'
import { fileNamed } from '../system/shipped.ts'
import { parseBytes } from '../units.ts'

const positive = z.number().positive()
/** When the source was read, measured or published: a year, a month or a day. */
const date = z
  .string()
  .regex(/^\d{4}(?:-\d\d){0,2}$/, 'expected a year, a month or a day, such as 2026-11')
  .optional()
const bytesOrZero = parsedBy((text) => {
  const value = parseBytes(text)
  return value === undefined ? failure(`expected a size such as 512KiB, got '${text}'`) : success(value)
})
/** '500m' or a number of cores, as Kubernetes writes them. */
const millicores = parsedBy((text) => {
  const match = /^(\d+(?:\.\d+)?)(m?)$/.exec(text)
  const value = match ? Number(match[1]) * (match[2] ? 1 : 1_000) : 0
  return value > 0 ? success(value) : failure(`expected CPU such as 500m or 2, got '${text}'`)
})

const boundsSchema = z
  .strictObject({ entities: numberOrZero, input: numberOrZero, output: numberOrZero })
  .transform(({ entities, input, output }) => ({ entities, inputTokensPerSec: input, outputTokensPerSec: output }))

const tierSchema = z
  .strictObject({
    name: z.string(),
    from: boundsSchema.optional(),
    above: boundsSchema.optional(),
    vcpu: positive,
    use: z.string(),
  })
  .refine(hasOneBound, 'give either from or above')

const rpsTierSchema = z
  .strictObject({
    name: z.string(),
    from: numberOrZero.optional(),
    above: numberOrZero.optional(),
    vcpu: positive,
    memory_mb: positive,
    connections: z.int().positive(),
    or_more: z.boolean().default(false),
  })
  .refine(hasOneBound, 'give either from or above')
  .transform(({ memory_mb, or_more, ...tier }) => ({ ...tier, memoryMb: memory_mb, orMore: or_more }))

const familiesSchema = z.strictObject({
  cloud: z.string(),
  arch: z.string().optional(),
  families: z.array(z.string()).min(1),
})

const rangeOfBytes = z.tuple([bytes, bytes]).transform(([minBytes, maxBytes]) => ({ minBytes, maxBytes }))

const bufferProfileSchema = z
  .strictObject({
    name: z.string(),
    prompt: z.strictObject({ from: bytesOrZero, below: bytes }),
    body: rangeOfBytes,
    buffer: rangeOfBytes,
    note: z.string().optional(),
  })
  .transform(({ name, prompt, body, buffer, note }) => ({
    name,
    promptFromBytes: prompt.from,
    promptBelowBytes: prompt.below,
    body,
    buffer,
    note,
  }))

const nodeSchema = z
  .strictObject({
    type: z.string(),
    cloud: z.string(),
    vcpu: z.int().min(2, 'a node of one vCPU has no whole one left for a worker'),
    memory_gib: positive,
    bandwidth_gbps: positive,
    allocatable_memory_mib: positive.optional(),
    usd_per_hour: positive.optional(),
    region: z.string().optional(),
    price_date: z.string().optional(),
    source: z.string(),
  })
  .transform((node) => ({
    type: node.type,
    cloud: node.cloud,
    vcpu: node.vcpu,
    memoryGib: node.memory_gib,
    bandwidthGbps: node.bandwidth_gbps,
    allocatableMillicores: allocatableMillicores(node.vcpu),
    allocatableMemoryBytes:
      node.allocatable_memory_mib === undefined
        ? allocatableMemoryBytes(node.memory_gib)
        : node.allocatable_memory_mib * 1024 ** 2,
    usdPerHour: node.usd_per_hour,
    region: node.region,
    priceDate: node.price_date,
    source: node.source,
    memorySource: memorySource(node.allocatable_memory_mib !== undefined),
  }))

const figuresShape = {
  network: z.strictObject({
    output_bytes_per_token: positive,
    source: z.string(),
    date,
    input_bytes_per_token: positive,
    input_source: z.string(),
    json_bytes_per_token: positive.default(4.5),
    json_source: z.string().default('as prompts, English prose and code in JSON'),
    events_per_token: positive.default(1),
    events_per_token_source: z.string().default('OpenAI-style streams send an event for each token'),
    events_per_worker: positiveNumber.default(137_000),
    events_source: z.string().default('nginx that passes events as they come, on one core, measured'),
    target_utilisation: positive.max(1),
    utilisation_source: z.string(),
  }),
  streams: z.strictObject({ tokens_per_sec: positive, ttft: durationMs, source: z.string(), date }),
  connections: z.strictObject({
    per_worker: positiveNumber,
    descriptors_per_worker: positiveNumber,
    source: z.string(),
    ephemeral_ports: positiveNumber,
    time_wait: durationMs,
    ports_source: z.string(),
    h2_streams: positiveNumber,
    h2_source: z.string(),
    h2_date: date,
    date,
  }),
  memory: z.strictObject({
    base_per_worker: bytes,
    base_source: z.string(),
    per_stream: bytes,
    stream_source: z.string(),
    date,
  }),
}

const sizingSchema = z
  .strictObject({
    name: z.string(),
    source: z.string(),
    date,
    rule_of_thumb: z.strictObject({ input_output_ratio: positive, output_per_worker: positiveNumber }),
    redundancy: z
      .strictObject({ min: z.number().min(1), max: z.number().min(1) })
      .refine(({ min, max }) => min <= max, 'min must not be above max'),
    redundancy_parts: z
      .strictObject({
        zones: z.int().min(1),
        zones_lost: z.int().min(0),
        surge: z.number().min(0).max(1),
        target_utilisation: positive.max(1),
      })
      .refine(({ zones, zones_lost }) => zones_lost < zones, 'zones_lost must leave a zone'),
    measured_per_worker: z.array(z.strictObject({ path: z.string(), input: positiveNumber, output: positiveNumber })),
    tiers: z.array(tierSchema).min(1).refine(ascends, 'tiers must ascend in every dimension'),
    rps_tiers: z.strictObject({ source: z.string(), tiers: z.array(rpsTierSchema).min(1) }),
    container: z.strictObject({
      cpu: z.strictObject({ request: millicores, limit: millicores }),
      memory: z.strictObject({ request: bytes, limit: bytes }),
      source: z.string(),
    }),
    ...figuresShape,
    buffers: z.strictObject({ source: z.string(), date, profiles: z.array(bufferProfileSchema).min(1) }),
    node: nodeSchema,
    instances: z.strictObject({ recommended: z.array(familiesSchema).min(1), avoid: z.array(familiesSchema) }),
  })
  .transform(
    (file): Sizing => ({
      name: file.name,
      source: file.source,
      figures: toFigures(file),
      redundancy: file.redundancy,
      redundancyParts: {
        zones: file.redundancy_parts.zones,
        zonesLost: file.redundancy_parts.zones_lost,
        surge: file.redundancy_parts.surge,
        targetUtilisation: file.redundancy_parts.target_utilisation,
      },
      measuredPerWorker: file.measured_per_worker.map(({ path, input, output }) => ({
        path,
        inputTokensPerSec: input,
        outputTokensPerSec: output,
      })),
      tiers: file.tiers,
      rpsTiers: file.rps_tiers,
      container: {
        cpuRequestMillicores: file.container.cpu.request,
        cpuLimitMillicores: file.container.cpu.limit,
        memoryRequestBytes: file.container.memory.request,
        memoryLimitBytes: file.container.memory.limit,
        source: file.container.source,
      },
      buffers: file.buffers,
      node: file.node,
      instances: file.instances,
    }),
  )

interface FigureSections {
  source: string
  date?: string | undefined
  rule_of_thumb: { input_output_ratio: number; output_per_worker: number }
  network: z.output<typeof figuresShape.network>
  streams: z.output<typeof figuresShape.streams>
  connections: z.output<typeof figuresShape.connections>
  memory: z.output<typeof figuresShape.memory>
  buffers: { source: string; date?: string | undefined; profiles: { buffer: { maxBytes: number } }[] }
}

function toFigures(file: FigureSections): PlanFigures {
  const { network, streams, connections, memory } = file
  const figure =
    (from: Figure['from']) =>
    (value: number, source: string, date: string | undefined): Figure => ({
      value,
      from,
      source,
      ...(date === undefined ? {} : { date }),
    })
  const vendor = figure('vendor default')
  const assumed = figure('assumed')
  return {
    ratio: vendor(file.rule_of_thumb.input_output_ratio, file.source, file.date),
    outputPerWorker: vendor(file.rule_of_thumb.output_per_worker, file.source, file.date),
    // The formula counts tokens only; runs of one's own may show more.
    requestCpuMs: vendor(0, file.source, file.date),
    outputBytesPerToken: assumed(network.output_bytes_per_token, network.source, network.date),
    jsonBytesPerToken: assumed(network.json_bytes_per_token, network.json_source, network.date),
    eventsPerToken: assumed(network.events_per_token, network.events_per_token_source, network.date),
    eventsPerWorker: assumed(network.events_per_worker, network.events_source, network.date),
    inputBytesPerToken: assumed(network.input_bytes_per_token, network.input_source, network.date),
    networkUtilisation: assumed(network.target_utilisation, network.utilisation_source, network.date),
    tokensPerSecPerStream: assumed(streams.tokens_per_sec, streams.source, streams.date),
    ttftS: assumed(streams.ttft / 1_000, streams.source, streams.date),
    connectionsPerWorker: vendor(connections.per_worker, connections.source, connections.date),
    descriptorsPerWorker: vendor(connections.descriptors_per_worker, connections.source, connections.date),
    ephemeralPorts: assumed(connections.ephemeral_ports, connections.ports_source, connections.date),
    timeWaitS: assumed(connections.time_wait / 1_000, connections.ports_source, connections.date),
    h2StreamsPerConnection: assumed(connections.h2_streams, connections.h2_source, connections.h2_date),
    baseBytesPerWorker: vendor(memory.base_per_worker, memory.base_source, memory.date),
    bytesPerStream: assumed(memory.per_stream, memory.stream_source, memory.date),
    bodyBufferBytes: vendor(file.buffers.profiles[0]?.buffer.maxBytes ?? 0, file.buffers.source, file.buffers.date),
  }
}

export function readSizing(path: string = packaged('profiles', 'sizing', 'kong.yaml')): Sizing {
  return readYaml(fileNamed(path), sizingSchema, 'sizing profile')
}

function hasOneBound(tier: { from?: unknown; above?: unknown }): boolean {
  return (tier.from === undefined) !== (tier.above === undefined)
}

function ascends(tiers: z.output<typeof tierSchema>[]): boolean {
  return tiers.every((tier, i) => {
    const here = tier.from ?? tier.above
    const before = tiers[i - 1]?.from ?? tiers[i - 1]?.above
    if (!here || !before) return true
    return (
      here.entities > before.entities &&
      here.inputTokensPerSec > before.inputTokensPerSec &&
      here.outputTokensPerSec > before.outputTokensPerSec
    )
  })
}
