// Packets of a port of the loopback, captured by the kernel with nanosecond stamps and read again as text.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from '../../setup/peers/folders.ts'
import { readPackets } from './packets.ts'

const NANOSECONDS = '--time-stamp-precision=nano'
/** Longer than any header, so that acknowledgements alone take no room. */
const LONGEST_HEADERS = 120
/** KiB: what the kernel keeps while the program gets no core. */
const BUFFER = 65_536
/** The kernel hands packets over in blocks, one at least every second. */
const HANDED_OVER_MS = 1_500
/** Where the system's time of day goes on to its next millisecond, both clocks are known to a microsecond. */
const EDGES = 50

/**
 * Starts it; `packets` ends it, and has what readPackets makes of it. Throws, with the program's own words, where it
 * may not.
 */
export async function startCapture({ command, args, env }, port, folder) {
  const file = join(folder, 'packets.pcap')
  // Started by root it would become a user of its own, whom only an installed package brings.
  const always = [...args, '-Z', userInfo().username, '-nn', NANOSECONDS]
  const filter = `tcp port ${port} and greater ${LONGEST_HEADERS}`
  const child = spawn(command, [...always, '-i', 'lo', '-s', '0', '-B', String(BUFFER), '-w', file, filter], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exited = once(child, 'exit')
  await listening(child)
  return async () => {
    await sleep(HANDED_OVER_MS)
    child.kill('SIGINT')
    await exited
    const { stdout } = await run(command, [...always, '-tt', '-A', '-r', file], { env, maxBuffer: 2 ** 30 })
    return readPackets(stdout, port)
  }
}

const oneLine = (text) => text.trim().replaceAll(/\s+/g, ' ')

function listening(child) {
  let said = ''
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', () => reject(new Error(oneLine(said) || 'it ended before it captured anything')))
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said += text
      if (said.includes('listening on')) resolve()
    })
  })
}

/**
 * What the system's time of day (the kernel's stamps) is ahead of a monotonic clock, in microseconds. Each edge is seen
 * at the edge or later, never earlier, so the largest difference is the nearest.
 */
export function aheadOf(now) {
  let ahead = Number.NEGATIVE_INFINITY
  for (let edge = 0; edge < EDGES; edge++) {
    const beforeMs = Date.now()
    let ms = beforeMs
    while (ms === beforeMs) ms = Date.now()
    ahead = Math.max(ahead, ms * 1_000 - now())
  }
  return ahead
}
