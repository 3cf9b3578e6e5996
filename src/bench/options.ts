/**
 * The options of a bench, in five sections. Each section reads its own flags and says what contradicts what; this file
 * reads them all, so that whatever is wrong with a command line and its config file is told at once.
 */
import { failure } from '../errors.ts'
import { Faults, type Given } from '../parse/parse-flags.ts'
import { WATCH_RULES, watchFlags } from '../watch/flags.ts'
import type { WatchOptions } from '../watch/watch.ts'
import { canConverse } from '../workload/choose.ts'
import { DEFAULT_TOOL_RESULT } from '../workload/conversations/conversation.ts'
import type { WorkloadSpec } from '../workload/workload.ts'
import { shownOptions } from './config.ts'
import { armFlags } from './options/arms.ts'
import { conversationFlags, FROM_FILE } from './options/conversation.ts'
import { type FleetAsk, fleetFlags, readFleet } from './options/fleet.ts'
import { amountFlags, type LoadOptions, pacingFlags, readLoad } from './options/load.ts'
import { type OutputOptions, outputFlags, readOutput } from './options/output.ts'
import { readRequest, requestFlags } from './options/request.ts'
import { baselineFlags, locateTarget, readTarget, type TargetOptions, targetFlags } from './options/target.ts'
import { readTrace, type TraceFile, traceFlags } from './options/trace.ts'
import { readVerdict, type VerdictOptions, verdictFlags } from './options/verdict.ts'

/** Each section goes only to the function that needs it. */
export interface BenchOptions {
  target: TargetOptions
  /** What is sent, with the files and profiles that the flags name already read. */
  request: WorkloadSpec
  load: LoadOptions
  /** The trace that is replayed. */
  trace: TraceFile | undefined
  verdict: VerdictOptions
  output: OutputOptions
  watch: WatchOptions
  /** The fleet that sends; undefined where this machine does. */
  fleet: FleetAsk | undefined
  /** The options as the user wrote them, without secrets, for the report. */
  shown: Record<string, unknown>
}

/** The sections that a bench and a sweep share. */
export const sharedFlags = { ...targetFlags, ...requestFlags, ...pacingFlags, ...fleetFlags }

/** In the order of the help. */
export const benchFlags = {
  ...targetFlags,
  ...baselineFlags,
  ...armFlags,
  ...requestFlags,
  ...conversationFlags,
  ...traceFlags,
  ...amountFlags,
  ...pacingFlags,
  ...fleetFlags,
  ...verdictFlags,
  ...outputFlags,
  ...watchFlags,
}

/** Where the load asks for conversations, each request begins one. */
function withConversations(
  request: WorkloadSpec | undefined,
  {
    turns,
    'think-time': think,
    'tool-result': toolResult = DEFAULT_TOOL_RESULT,
    'session-header': header,
  }: LoadOptions,
  faults: Faults,
): WorkloadSpec | undefined {
  if (!request || !turns) return request
  if (!canConverse(request.endpoint)) {
    faults.add(failure(`--turns does not go with --endpoint ${request.endpoint}`, 'Its requests are no conversations.'))
  }
  const given = request.conversations?.turns
  if (turns === FROM_FILE) return given && { ...request, conversations: { turns: given, think, toolResult, header } }
  return { ...request, conversations: { turns: { kind: 'drawn', count: turns }, think, toolResult, header } }
}

/** Throws one UserError about everything that is wrong. */
export function parseBenchOptions(given: Given, faults = new Faults(), command = 'kt bench'): BenchOptions {
  const target = readTarget(given, faults)
  const first = readRequest(given, target, faults)
  const load = readLoad(given, target, faults)
  const request = withConversations(first, load, faults)
  const trace = readTrace(given, load, request?.seed, faults)
  const fleet = readFleet(given, faults)
  const verdict = readVerdict(given, target, load, faults)
  const output = readOutput(given, target, verdict, faults)
  const located = request && locateTarget(target, request, faults)
  const watch = faults.read(watchFlags, given)
  faults.check(watch, WATCH_RULES)
  faults.refuse(command)
  if (!request || !located) throw new Error('a bench without a workload, and nothing is wrong')
  const shown = shownOptions(given.values, benchFlags)
  return { target: located, request, load, trace, verdict, output, watch, fleet, shown }
}
