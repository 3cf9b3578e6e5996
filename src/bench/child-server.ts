/**
 * A server of kt's own as a child process: the embedded provider and gateway, the null upstream. It hangs on an IPC channel, so it ends with
 * this process however that ends; close() ends it in order.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { packaged } from '../system/package-info.ts'

export interface ChildServer {
  url: string
  pid: number | undefined
  close(): Promise<void>
}

const START_WITHIN_MS = 20_000
const STOP_WITHIN_MS = 5_000

/** `kt <args>` on the first free port from its default on; `note` hears what it says on stderr, such as another port. */
export async function startServer(args: readonly string[], note: (line: string) => void): Promise<ChildServer> {
  const child = spawn(process.execPath, [packaged('bin', 'run.js'), ...args, '--next-free-port', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Out of the terminal's reach: Ctrl-C ends the sending, and these must answer what is in flight.
    detached: true,
  })
  const close = (): Promise<void> => stop(child)
  try {
    return { url: await firstLine(child, args.slice(0, 2).join(' '), note), pid: child.pid, close }
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
