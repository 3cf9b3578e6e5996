/**
 * A tool that sends load, as the tables set it beside kt: what it is asked for, and what it says of a run in figures
 * of its own. Each file beside this one knows the command line of one tool and reads its output.
 */
import { z } from 'zod'
import type { Program } from '../../setup/peers/catalogue.ts'
import type { PeerName } from '../../setup/peers/find.ts'
import { run } from '../../setup/peers/folders.ts'

/** `rps` is an open loop; with `inFlight` alone as many requests as that are always in flight. */
export interface Load {
  /** The address of an API of OpenAI's, without a path. */
  origin: string
  rps?: number
  inFlight: number
  seconds: number
  /** Tokens of an answer; a stream where `stream` is set. */
  tokens: number
  stream?: boolean
  /** For tools that would take all cores. kt, autocannon and wrk send with one thread as they are called here. */
  oneThread?: boolean
}

interface Figures {
  p50Ms: number
  p99Ms: number
}

export interface Seen {
  answered: number
  failed: number
  /** Answers a second, as the tool has it. */
  perSecond: number
  /** The tool's own latency: of most from sending to the end of an answer, of kt from the intended time. */
  latency?: Figures | undefined
  /** From sending, of a tool whose latency is not. */
  service?: Figures | undefined
  /** Time to first token, of tools that have it. */
  ttft?: Figures | undefined
}

/** It comes from the installer, or is a script that is here already: kt, and what its own package.json names. */
export type Tool = ({ peer: PeerName } | { version: string; script: string }) & {
  name: string
  /** `folder` is empty, and is removed after the run. */
  run(program: Program, load: Load, folder: string): Promise<Seen>
}

export const PATH = '/v1/chat/completions'

/** What every tool sends. The simulated provider keeps a record of a request whose prompt ends with a nonce. */
export function bodyOf({ tokens, stream = false }: Load): string {
  const messages = [{ role: 'user', content: PROMPT }]
  return JSON.stringify({ model: 'gpt-4o-mini', messages, max_tokens: tokens, ...(stream && { stream }) })
}

export const PROMPT = 'Say hello in one word ktpeerbenchmarksaa'

/** Beside the run: the start of an interpreter, its imports, and the requests that are in flight at the end. */
const MOST_BESIDE_MS = 120_000

/** Runs it to its end and returns what it printed. A tool that fails, or hangs, throws. */
export async function output(
  { command, args, env }: Program,
  more: string[],
  { seconds, cwd, env: extra = {} }: { seconds: number; cwd: string; env?: NodeJS.ProcessEnv },
): Promise<string> {
  const timeout = seconds * 1_000 + MOST_BESIDE_MS
  const options = { cwd, env: { ...env, ...extra }, timeout, maxBuffer: 2 ** 28 }
  return (await run(command, [...args, ...more], options)).stdout
}

/** A report of a shape that is not known is no figure: what is wrong with it, in one line. */
export function parseOutput<T>(schema: z.ZodType<T>, text: string): T {
  const parsed = schema.safeParse(asJson(text))
  if (parsed.success) return parsed.data
  throw new Error(`what it printed is not known: ${z.prettifyError(parsed.error).replaceAll(/\s+/g, ' ')}`)
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text.slice(0, 100)
  }
}
