/**
 * Real-time scheduling: under SCHED_FIFO a thread takes a core as soon as it is ready, before every ordinary thread. On
 * a busy machine an ordinary thread waits milliseconds for its turn instead, and that wait reads as latency. Only the
 * threads that send and answer get it, by thread id. What they start, such as helper threads of V8 and other processes,
 * does not inherit it, and processes that kt did not start are never touched. A thread that never rests cannot lock the
 * machine up, since the kernel leaves a share of every core to ordinary threads (RT throttling); where that is switched
 * off, kt asks for no real time.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { type Failure, failure, type Result, success } from '../errors.ts'
import { preferHelperThreads } from './helper-threads.ts'
import { childrenOf, readProcStat } from './proc-stat.ts'

/** Before every ordinary thread, and behind everything else that is real-time. */
const PRIORITY = '1'
const THROTTLING = '/proc/sys/kernel/sched_rt_runtime_us'
const UNLIMITED = '-1'
const WITHIN_MS = 5_000
const THIS_THREAD = '/proc/thread-self'

const GIVE_THE_RIGHT =
  'Run as root (sudo) or give the right: docker run --cap-add SYS_NICE, in Kubernetes ' +
  'securityContext.capabilities.add: [SYS_NICE].'

/** Whether this process may use it. That is tried on a process that ends at once. */
export function mayRunRealtime(root = ''): Result<undefined> {
  if (process.platform !== 'linux') return failure('only Linux has it', 'Measure on Linux.')
  const runtimeUs = readThrottling(root)
  if (runtimeUs === undefined) return failure(`the kernel does not tell its RT throttling (${THROTTLING})`)
  if (runtimeUs === UNLIMITED) {
    return failure(
      "the kernel's RT throttling is off, and a busy thread could lock the machine up",
      `Switch it on: echo 950000 > ${THROTTLING}`,
    )
  }
  return chrt('true') ?? success(undefined)
}

/** The calling thread from here on, where it may. */
export function makeThisThreadRealtime(): void {
  const id = /\d+$/.exec(readlinkSync(THIS_THREAD))?.[0]
  if (id !== undefined) chrt('-p', id)
}

/** The main threads of a server that kt has started, and of the processes of that server. */
export function makeServerRealtime(pid: number): void {
  chrt('-p', String(pid))
  preferHelperThreads(pid)
  for (const child of childrenOf(pid)) makeServerRealtime(child)
}

/** As the kernel says; null for a thread that is an ordinary one. */
export function thisThreadFifoPriority(): number | null {
  return process.platform === 'linux' ? readProcStat(THIS_THREAD).fifoPriority : null
}

/** `what`: the words of a command, or -p and a thread. Undefined where it worked. */
function chrt(what: string, ...more: string[]): ({ ok: false } & Failure) | undefined {
  const words = what === '-p' ? [what, PRIORITY, ...more] : [PRIORITY, what, ...more]
  const args = ['--reset-on-fork', '--fifo', ...words]
  const { error, status, stderr } = spawnSync('chrt', args, { encoding: 'utf8', timeout: WITHIN_MS })
  if (status === 0) return undefined
  const code = error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return failure('there is no chrt', 'Install util-linux.')
  return failure((error?.message ?? stderr.trim().split('\n')[0]) || `chrt ended with ${status}`, GIVE_THE_RIGHT)
}

function readThrottling(root: string): string | undefined {
  try {
    return readFileSync(`${root}${THROTTLING}`, 'utf8').trim()
  } catch {
    return undefined
  }
}
