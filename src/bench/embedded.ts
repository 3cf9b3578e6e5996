/**
 * The embedded pair of a bench without --url: `kt provider start` and `kt gateway start` as child processes; and what
 * the gateway's processes use while a level of a sweep is measured.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { EXIT, UserError } from '../errors.ts'
import { ENVIRONMENT_SWITCH } from '../parse/environment.ts'
import { now } from '../system/clock.ts'
import { get } from '../system/get.ts'
import { packaged } from '../system/machine.ts'
import { readProcessTree } from '../system/process-tree.ts'
import { makeServerRealtime } from '../system/realtime.ts'
import { parseObject } from '../wire/json.ts'

const START_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 5_000
const READY_WITHIN_MS = 5_000
const READY_EVERY_MS = 25
/** A flag of V8 for a server under real-time scheduling, as collectWithoutHelpers has them for this process. */
const WITHOUT_HELPERS = '--single-threaded-gc'

export interface EmbeddedPair {
  providerUrl: string
  gatewayUrl: string
  /** Process id of the gateway, or of the primary of its processes. */
  gatewayPid: number | undefined
  close(): Promise<void>
}

interface PairOptions {
  /** Both servers run under real-time scheduling. */
  realtime?: boolean
  /** Processes of the gateway. */
  workers?: number
  /** The gateway's config file. */
  config?: string
  /** The gateway is waited for until its code is compiled; without it, it starts at once. */
  jitWarmup?: boolean
  /** Time between two tokens of the provider, as `--token-gap` takes it. */
  tokenGap?: string | undefined
  /** The cassette whose answers the provider plays instead. */
  replay?: string | undefined
  /** Aborted when the user asks for the end: the gateway's warm-up is not waited for then. */
  interrupt?: AbortSignal | undefined
}

/** A distribution, so that the request slots of a closed loop do not synchronise and queue behind each other. */
const TTFT = 'lognormal(20ms,0.3)'

/**
 * Starts provider and gateway on the first free ports from 41001 and 41002 on; `note` receives other ports. The
 * gateway has its default config unless `config` names a file.
 */
export function startEmbeddedPair(
  injectDelayMs: number,
  note: (line: string) => void,
  { workers = 1, config, tokenGap, replay, realtime = false, jitWarmup = false, interrupt }: PairOptions = {},
): Promise<EmbeddedPair> {
  const gatewayFlags = (providerUrl: string): string[] => [
    ...['--upstream', `${providerUrl}/v1`],
    ...(workers > 1 ? ['--workers', String(workers)] : []),
    // The admin port is for gateways that people start: runs beside each other would contend for it.
    ...(config === undefined ? ['--admin-port', 'off'] : ['--config', config]),
    ...(jitWarmup ? [] : ['--no-jit-warmup']),
    ...(injectDelayMs > 0 ? ['--inject-delay', `${injectDelayMs}ms`] : []),
  ]
  const pace = ['--ttft', TTFT, ...(tokenGap === undefined ? [] : ['--token-gap', tokenGap])]
  const answers = replay === undefined ? pace : ['--replay', replay]
  return startPair(answers, gatewayFlags, note, realtime, interrupt)
}

/**
 * The same with the flags of `kt provider start` and, from the provider's address, those of `kt gateway start`, whose
 * warm-up is over, or has taken long enough.
 */
export async function startPair(
  providerFlags: readonly string[],
  gatewayFlags: (providerUrl: string) => readonly string[],
  note: (line: string) => void,
  realtime = false,
  interrupt?: AbortSignal,
): Promise<EmbeddedPair> {
  const provider = await startServer(['provider', 'start', ...providerFlags], note, realtime)
  // The admin port that `kt cache` asks is for a gateway that somebody has started.
  const gatewayWords = ['gateway', 'start', ...gatewayFlags(provider.url)]
  const gateway = await startServer(gatewayWords, note, realtime).catch(async (error) => {
    await provider.close()
    throw error
  })
  const close = async (): Promise<void> => {
    // The gateway first: it holds connections to the provider.
    await gateway.close()
    await provider.close()
  }
  await untilReady(gateway.url, interrupt)
  return { providerUrl: provider.url, gatewayUrl: gateway.url, gatewayPid: gateway.pid, close }
}

async function untilReady(gatewayUrl: string, interrupt?: AbortSignal): Promise<void> {
  for (let waitedMs = 0; waitedMs < READY_WITHIN_MS && !interrupt?.aborted; waitedMs += READY_EVERY_MS) {
    const answer = await get(`${gatewayUrl}/readyz`)
    answer.resume()
    if (answer.statusCode === 200) return
    await pause(READY_EVERY_MS)
  }
}

export interface ChildServer {
  url: string
  pid: number | undefined
  close(): Promise<void>
}

/**
 * Starts `kt <args>` on the first free port from its default on: the embedded provider and gateway, the null upstream.
 */
export function startServer(
  args: readonly string[],
  note: (line: string) => void,
  realtime = false,
): Promise<ChildServer> {
  return startChild([...args, '--next-free-port', '--json'], note, realtime)
}

/**
 * Starts `kt <args>` as a child process, which says where it listens in its first line. It ends with this process
 * however that ends, because of its IPC channel; close() ends it in order. `note` receives its lines on stderr, such
 * as the one about another port.
 */
export async function startChild(
  args: readonly string[],
  note: (line: string) => void,
  realtime = false,
): Promise<ChildServer> {
  const words = [...(realtime ? [WITHOUT_HELPERS] : []), packaged('bin', 'run.js'), ...args]
  const child = spawn(process.execPath, words, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // The flags in this environment are the bench's, not the servers'.
    env: { ...process.env, [ENVIRONMENT_SWITCH]: 'off' },
    // Detached from the terminal: Ctrl-C ends the sending, but the servers must still answer the requests in flight.
    detached: true,
  })
  const close = (): Promise<void> => stop(child)
  try {
    const url = await firstLine(child, args.slice(0, 2).join(' '), note)
    // Its processes are there by now, and its start has not competed with anything.
    if (realtime && child.pid !== undefined) makeServerRealtime(child.pid)
    return { url, pid: child.pid, close }
  } catch (error) {
    await close()
    throw error
  }
}

const listeningSchema = z.object({ url: z.string() })
const refusalSchema = z.object({
  error: z.object({ message: z.string(), next: z.string(), exitCode: z.enum(EXIT) }),
})

/**
 * The URL in the server's first line. Its lines on stderr are passed on as notes. One that refuses to start says why
 * in JSON too, and that is the error here.
 */
function firstLine(child: ChildProcess, name: string, note: (line: string) => void): Promise<string> {
  const { stdout, stderr } = child
  if (!stdout || !stderr) throw new Error('a server without output streams')
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`kt ${name} did not start within ${START_WITHIN_MS / 1_000} s`)),
      START_WITHIN_MS,
    )
    let said = ''
    const notes: string[] = []
    let hear = (line: string): void => void notes.push(line)
    const passNotesOn = (): void => {
      clearTimeout(timer)
      for (const line of notes.splice(0)) note(line)
      hear = note
    }
    createInterface({ input: stderr }).on('line', (line) => hear(line))
    createInterface({ input: stdout }).on('line', (line) => {
      said += line
      const { data } = listeningSchema.safeParse(parseObject(said))
      if (!data) return
      passNotesOn()
      resolve(data.url)
    })
    child.once('error', reject)
    child.once('close', (code) => {
      const refused = refusalSchema.safeParse(parseObject(said)).data?.error
      // The same words are the error.
      if (refused) notes.length = 0
      passNotesOn()
      if (refused) reject(new UserError(refused.message, refused.next, refused.exitCode))
      else reject(new Error(`kt ${name} ended with code ${code} before it listened`))
    })
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
  await gone
  clearTimeout(timer)
}

const SAMPLE_INTERVAL_MS = 200

export interface GatewayUse {
  /** Busy cores, over all of its processes. */
  cpuCores: number
  /** The highest resident memory. */
  rssBytes: number
}

interface GatewayWatch {
  /** The measurement begins and lasts this long. Later calls do nothing. */
  measuring(durationMs: number): void
  /** Null where the usage is unknown. */
  end(): GatewayUse | null
}

/** Watches what the gateway's processes use while a level is measured; without the warm-up and the drain. */
export function watchGateway(pid: number | undefined): GatewayWatch {
  const readings: { atUs: number; cpuMs: number; rssBytes: number }[] = []
  let timer: NodeJS.Timeout | undefined
  const read = (): void => {
    const reading = pid === undefined ? undefined : readProcessTree(pid)
    if (reading) readings.push({ atUs: now(), ...reading })
  }
  return {
    measuring(durationMs) {
      if (timer || pid === undefined) return
      const untilUs = now() + durationMs * 1_000
      read()
      timer = setInterval(() => {
        if (now() > untilUs) clearInterval(timer)
        else read()
      }, SAMPLE_INTERVAL_MS)
    },
    end() {
      clearInterval(timer)
      const [first, last] = [readings[0], readings.at(-1)]
      if (!first || !last || last.atUs === first.atUs) return null
      return {
        cpuCores: Math.round(((last.cpuMs - first.cpuMs) * 1e6) / (last.atUs - first.atUs)) / 1e3,
        rssBytes: Math.max(...readings.map(({ rssBytes }) => rssBytes)),
      }
    },
  }
}
