/**
 * The embedded pair: `kt provider start` and `kt gateway start` as child processes, for benches without --url. They hang on an
 * IPC channel, so they end with this process however it ends; close() ends them in order.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { packaged } from '../system/package-info.ts'

export interface EmbeddedPair {
  providerUrl: string
  gatewayUrl: string
  /** Of the gateway, or of the primary of its processes. */
  gatewayPid: number | undefined
  close(): Promise<void>
}

export interface PairOptions {
  /** Processes of the gateway. */
  workers?: number
  /** The gateway's config file. */
  config?: string
  /** Between two tokens of the provider, as `--token-gap` takes it. */
  tokenGap?: string | undefined
}

const START_WITHIN_MS = 20_000
/** Spread, so that the slots of a closed loop do not fall into step and queue behind each other. */
const TTFT = 'lognormal(20ms,0.3)'
const STOP_WITHIN_MS = 5_000

/**
 * Starts both on the first free ports from 41001 and 41002 on; `note` hears which ones, where they are not those. The gateway is
 * the conservative one unless `config` names a file.
 */
export function startEmbeddedPair(
  injectDelayMs: number,
  note: (line: string) => void,
  { workers = 1, config, tokenGap }: PairOptions = {},
): Promise<EmbeddedPair> {
  const gatewayFlags = (providerUrl: string): string[] => [
    ...['--upstream', `${providerUrl}/v1`],
    ...(workers > 1 ? ['--workers', String(workers)] : []),
    ...(config === undefined ? [] : ['--config', config]),
    ...(injectDelayMs > 0 ? ['--inject-delay', `${injectDelayMs}ms`] : []),
  ]
  const pace = tokenGap === undefined ? [] : ['--token-gap', tokenGap]
  return startPair(['--ttft', TTFT, ...pace], gatewayFlags, note)
}

/** The same with flags of one's own for `kt provider start` and, once the provider's address is known, `kt gateway start`. */
export async function startPair(
  providerFlags: readonly string[],
  gatewayFlags: (providerUrl: string) => readonly string[],
  note: (line: string) => void,
): Promise<EmbeddedPair> {
  const started: ChildProcess[] = []
  const close = async (): Promise<void> => {
    // The gateway first: it holds connections to the provider.
    for (const child of started.toReversed()) await stop(child)
  }
  const start = async (args: string[]): Promise<string> => {
    const child = spawn(process.execPath, [packaged('bin', 'run.js'), ...args, '--next-free-port', '--json'], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Out of the terminal's reach: Ctrl-C ends the sending, and these must answer what is in flight.
      detached: true,
    })
    started.push(child)
    return firstLine(child, args.slice(0, 2).join(' '), note)
  }
  try {
    const providerUrl = await start(['provider', 'start', ...providerFlags])
    const gatewayUrl = await start(['gateway', 'start', ...gatewayFlags(providerUrl)])
    return { providerUrl, gatewayUrl, gatewayPid: started[1]?.pid, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The URL in the server's first line; what it says on stderr is passed on as notes. */
function firstLine(child: ChildProcess, name: string, note: (line: string) => void): Promise<string> {
  const { stdout, stderr } = child
  if (!stdout || !stderr) throw new Error('a server without output streams')
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`kt ${name} did not start within ${START_WITHIN_MS / 1_000} s`)),
      START_WITHIN_MS,
    )
    createInterface({ input: stderr }).on('line', note)
    createInterface({ input: stdout }).once('line', (line) => {
      clearTimeout(timer)
      resolve((JSON.parse(line) as { url: string }).url)
    })
    child.once('error', reject)
    child.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`kt ${name} ended with code ${code} before it listened`))
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
