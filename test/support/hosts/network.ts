/**
 * Hosts of a test on one machine: each is a network namespace of its own, joined to the others by a namespace in the
 * middle, and a time namespace, whose monotonic clock (the one of src/system/clock.ts) is so many seconds ahead. All of
 * it is held by processes that end with the test, and goes with them; nothing of it has a name on the machine. Linux as
 * root only.
 *
 * Hosts reach each other through the kernel of the middle. A way through its relay (relay-process.ts) has delays and
 * jitter, and can be cut.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ToRelay, Way } from './relay-process.ts'

export interface Host {
  name: string
  /** Where the other hosts reach it. */
  address: string
  clockAheadS: number
  /** Starts a process there. */
  start(command: string, ...args: string[]): ChildProcess
  /** The standard output of a script that is run there to its end. */
  node(...args: string[]): Promise<string>
}

export interface Network {
  host(name: string, options?: { clockAheadS?: number }): Promise<Host>
  /** From a host to a port of another, by way of the relay: where the first one connects to. */
  way(from: Host, to: Host, port: number, way?: Partial<Way>): Promise<{ address: string; port: number }>
  /** Nothing passes the relay from or to this host until it is healed; who is connected stays so. */
  cut(host: Host): Promise<void>
  heal(host: Host): Promise<void>
  /** Ends all that was started; the processes that are still in the namespaces then, which should be none. */
  close(): Promise<string[]>
}

const RELAY = fileURLToPath(new URL('relay-process.ts', import.meta.url))
const NET = '10.77'
/** Ends at the end of its input, which is that of the test. */
const HOLD = ['cat']

/** Why this machine cannot have such hosts; undefined where it can. */
export function whyNoHosts(): string | undefined {
  if (process.platform !== 'linux') return 'namespaces are of Linux'
  if (process.getuid?.() !== 0) return 'only root makes network namespaces'
  const tried = spawnSync('unshare', ['--net', '--time', '--monotonic', '1', 'ip', 'link', 'add', 'type', 'veth'], {
    encoding: 'utf8',
  })
  if (tried.status === 0) return undefined
  return `no namespaces here: ${tried.error?.message ?? tried.stderr.trim().split('\n')[0]}`
}

export async function makeNetwork(): Promise<Network> {
  const started: ChildProcess[] = []
  const namespaces: string[] = []
  const run = (pid: number, command: string, args: string[]): ChildProcess => {
    const enter = ['--target', String(pid), '--net', '--time', '--', command, ...args]
    const child = spawn('nsenter', enter, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    started.push(child)
    return child
  }

  const hold = async (clockAheadS: number): Promise<number> => {
    const shifted = ['--net', '--time', '--monotonic', String(clockAheadS)]
    const holder = spawn('unshare', [...shifted, ...HOLD], { stdio: ['pipe', 'pipe', 'inherit'] })
    started.push(holder)
    // What holds the namespaces answers when it is there.
    holder.stdin.write('here')
    await once(holder.stdout, 'data')
    const pid = holder.pid
    if (pid === undefined) throw new Error('unshare did not start')
    namespaces.push(readlinkSync(`/proc/${pid}/ns/net`))
    ip(pid, 'link', 'set', 'lo', 'up')
    return pid
  }

  const middle = await hold(0)
  execFileSync('nsenter', ['--target', String(middle), '--net', 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'])
  const relay = run(middle, process.execPath, [RELAY])
  relay.stderr?.pipe(process.stderr)
  const tell = async (message: ToRelay): Promise<number> => {
    relay.send(message)
    const [answer] = await once(relay, 'message')
    return Number(answer)
  }
  const numbers = new Map<Host, number>()

  const host: Network['host'] = async (name, { clockAheadS = 0 } = {}) => {
    const number = numbers.size + 1
    const pid = await hold(clockAheadS)
    ip(middle, 'link', 'add', `h${number}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid))
    ip(middle, 'addr', 'add', `${NET}.${number}.1/24`, 'dev', `h${number}`)
    ip(middle, 'link', 'set', `h${number}`, 'up')
    ip(pid, 'addr', 'add', `${NET}.${number}.2/24`, 'dev', 'eth0')
    ip(pid, 'link', 'set', 'eth0', 'up')
    ip(pid, 'route', 'add', 'default', 'via', `${NET}.${number}.1`)
    const made: Host = {
      ...{ name, address: `${NET}.${number}.2`, clockAheadS },
      start: (command, ...args) => run(pid, command, args),
      node: async (...args) => {
        const child = run(pid, process.execPath, args)
        let [stdout, stderr] = ['', '']
        child.stdout?.setEncoding('utf8').on('data', (part: string) => (stdout += part))
        child.stderr?.setEncoding('utf8').on('data', (part: string) => (stderr += part))
        const [code] = await once(child, 'close')
        if (code !== 0) throw new Error(`${name}: ${args.join(' ')} ended with ${code}: ${stderr}`)
        return stdout
      },
    }
    numbers.set(made, number)
    return made
  }

  return {
    host,
    way: async (from, to, port, { thereMs = 0, backMs = 0, jitterMs = 0 } = {}) => {
      const address = `${NET}.${numbers.get(from)}.1`
      const listening = await tell({
        type: 'way',
        ...{ from: from.name, to: to.name, address, target: to.address, port },
        way: { thereMs, backMs, jitterMs },
      })
      return { address, port: listening }
    },
    cut: async ({ name }) => void (await tell({ type: 'cut', host: name })),
    heal: async ({ name }) => void (await tell({ type: 'heal', host: name })),
    close: async () => {
      for (const child of started.toReversed()) {
        const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
        child.kill('SIGKILL')
        await ended
      }
      return processesIn(namespaces)
    },
  }
}

function ip(pid: number, ...args: string[]): void {
  execFileSync('nsenter', ['--target', String(pid), '--net', 'ip', ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
}

function processesIn(namespaces: readonly string[]): string[] {
  return readdirSync('/proc').filter((entry) => {
    try {
      return /^\d+$/.test(entry) && namespaces.includes(readlinkSync(`/proc/${entry}/ns/net`))
    } catch {
      return false
    }
  })
}
