// Resident memory of the gateway as the guide writes it (guide.js, its own two output policies): idle, under 9 chat
// streams a second as the guide's light row has them, and at most over 3,600 requests. The highest of all processes of
// `kt gateway start`, sampled: npm run build && node test/bench/gateway/light-memory.js [seconds] [requests]
import { setTimeout as sleep } from 'node:timers/promises'
import { readProcessTree } from '../../../dist/src/system/process-tree.js'
import { withGuide } from './guide.js'
import { ktBench, line } from './measure.js'

const [seconds = 25, requests = 3_600] = process.argv.slice(2).map(Number)
const IDLE_S = 3
const SAMPLE_MS = 100
const MIB = 2 ** 20

const CHAT = ['--workload', 'chat', '--rps', '9', '--duration', `${seconds}s`]
const MANY = ['--requests', String(requests), '--concurrency', '32', '--workload', 'chat', '--output-tokens', '64']

/** The memory at the end of a bench, and the highest during it. */
async function during(pid, words) {
  let highest = 0
  const sampling = setInterval(() => {
    highest = Math.max(highest, readProcessTree(pid)?.rssBytes ?? 0)
  }, SAMPLE_MS)
  const code = await ktBench([...words, '--no-floor', '--json'])
  clearInterval(sampling)
  if (code !== 0) throw new Error(`kt bench ended with ${code}`)
  return { highest, last: readProcessTree(pid)?.rssBytes ?? 0 }
}

for (const flags of [['--no-jit-warmup'], []]) {
  process.stdout.write(`${flags.length > 0 ? 'in a container of 128 MB: without JIT warm-up' : 'with JIT warm-up'}\n`)
  await withGuide(
    async ({ gatewayUrl, gatewayPid: pid }) => {
      await sleep(IDLE_S * 1_000)
      const light128 = flags.length > 0 ? { atMost: 128 } : {}
      line('idle', (readProcessTree(pid)?.rssBytes ?? 0) / MIB, 'MiB', light128)
      const light = await during(pid, ['--url', gatewayUrl, ...CHAT])
      line(`${seconds} s at 9/s, highest`, light.highest / MIB, 'MiB', light128)
      line(`${seconds} s at 9/s, at the end`, light.last / MIB, 'MiB')
      const many = await during(pid, ['--url', gatewayUrl, ...MANY])
      line(`${requests} requests, 32 in flight, highest`, many.highest / MIB, 'MiB', { atMost: 256 })
      line(`${requests} requests, at the end`, many.last / MIB, 'MiB')
    },
    { gap: '5ms', input: false, flags },
  )
}
process.exit()
