/** The replay of a trace: which file, which part of it, how fast. The flags with their types, and what contradicts. */
import { z } from 'zod'
import { failure } from '../../errors.ts'
import { type FlagValues, flagGroup } from '../../parse/flags.ts'
import { type Faults, type Given, rulesOf } from '../../parse/parse-flags.ts'
import { durationMs, durationOrZeroMs, positiveNumber, share } from '../../parse/quantity.ts'
import { ENDPOINTS, endpointOf } from '../../wire/endpoints.ts'
import { COLUMNS_EXAMPLE, COLUMNS_HELP, traceColumns } from '../../workload/traces/columns.ts'
import type { TraceFile } from '../../workload/traces/feed.ts'
import type { LoadOptions } from './load.ts'

export type { TraceFile }

const { text } = flagGroup('TRACE')

export const traceFlags = {
  trace: text(
    z.string().min(1, 'must not be empty').optional(),
    'replay the requests of this trace, each at its time, with generated text of its tokens: a file or FIFO, also ' +
      '.gz, of Azure, BurstGPT, Mooncake, vLLM, AIPerf, Bailian, OpenTelemetry spans, or access logs of LiteLLM, ' +
      'Envoy and Kong',
    { helpValue: 'trace.csv' },
  ),
  'trace-columns': text(traceColumns.optional(), COLUMNS_HELP, {
    example: COLUMNS_EXAMPLE,
  }),
  speed: text(positiveNumber.optional(), 'replay the trace so many times faster [default: 1]', { example: '2' }),
  'trace-share': text(share.optional(), 'replay only this share of its requests, drawn by --seed', { example: '10%' }),
  from: text(durationOrZeroMs.optional(), 'leave out what came before this time of the trace', { example: '10m' }),
  to: text(durationMs.optional(), 'leave out what came from this time of the trace on', { example: '20m' }),
}

type TraceFlagValues = FlagValues<typeof traceFlags>

/** What a trace says by itself, or cannot do. */
const CONTRARY = {
  rps: 'A trace has its own times: leave --rps out, and give --speed for more load.',
  stages: 'A trace has its own times: leave --stages out, and give --speed for more load.',
  arrival: 'A trace has its own times: leave --arrival out.',
  concurrency: 'A trace is sent in an open loop: --max-in-flight limits what it has in flight.',
  'output-tokens': 'A trace has its own output tokens: leave --output-tokens out; --max-tokens limits them.',
  'cool-down': 'Nothing comes after the last request of a trace: leave --cool-down out.',
  'until-decided':
    'A trace is played once and as a whole: leave --until-decided out, and give --requests or --duration.',
} as const
type Contrary = keyof typeof CONTRARY

type TraceRules = TraceFlagValues & Record<Contrary | 'pairing' | 'endpoint', unknown>

const given = rulesOf<TraceRules>()

const ENDLESS = Number.POSITIVE_INFINITY

const RULES = [
  ...(['trace-columns', 'speed', 'trace-share', 'from', 'to'] as const).map((name) =>
    given(
      [name, 'trace'],
      (values) => values[name] !== undefined && !values.trace && failure(`--${name} goes with --trace`, 'Add --trace.'),
    ),
  ),
  ...(Object.keys(CONTRARY) as Contrary[]).map((name) =>
    given(
      ['trace', name],
      (values) =>
        values.trace !== undefined &&
        values[name] !== undefined &&
        values[name] !== false &&
        failure(`--${name} does not go with --trace`, CONTRARY[name]),
    ),
  ),
  given(
    ['trace', 'pairing'],
    ({ trace, pairing }) =>
      trace !== undefined &&
      pairing === 'block' &&
      failure('--pairing block does not go with --trace', 'Both arms get each request of a trace at its time.'),
  ),
  given(['trace', 'endpoint'], ({ trace, endpoint }) => {
    const asked = ENDPOINTS.find((name) => name === endpoint)
    if (trace === undefined || asked === undefined || endpointOf(asked).limit !== undefined) return undefined
    return failure(`--trace does not go with --endpoint ${asked}`, 'Its requests ask for output tokens.')
  }),
  given(
    ['from', 'to'],
    ({ from = 0, to }) => to !== undefined && to <= from && failure('--to must come after --from', 'Correct them.'),
  ),
]

/** Which part of which file is replayed, and how; undefined without a trace. */
export function readTrace(
  input: Given,
  { requests, duration }: Pick<LoadOptions, 'requests' | 'duration'>,
  seed: number | undefined,
  faults: Faults,
): TraceFile | undefined {
  const values = faults.read(traceFlags, input)
  faults.check({ ...input.values, ...values } as TraceRules, RULES)
  const { trace: path, speed = 1, from = 0, to = ENDLESS } = values
  if (path === undefined) return undefined
  return {
    path,
    columns: values['trace-columns'],
    selection: {
      speed,
      share: values['trace-share'] ?? 1,
      seed: seed ?? 0,
      fromUs: from * 1_000,
      toUs: to * 1_000,
      rows: requests ?? ENDLESS,
      durationUs: (duration ?? ENDLESS) * 1_000,
    },
  }
}
