// What the instrument itself does, in one run: how far its latencies lie above the provider's own record, how late it
// sends, how many requests and events one thread takes, whether its memory grows, what a second thread brings, what a
// stall looks like. Peers and raw sockets are measured in turns with it, in the same run. Ends in a table: figure,
// aim, ratio. npm run build && npx -c 'node test/bench/instrument.js [--quick]
// [accuracy|pacing|throughput|reading|arrival|memory|threads|stall ...]'
import { accuracy } from './instrument/accuracy.js'
import { memory } from './instrument/memory.js'
import { pacing } from './instrument/pacing.js'
import { Table } from './instrument/rig.js'
import { stall } from './instrument/stall.js'
import { arrival, reading } from './instrument/streams.js'
import { threads } from './instrument/threads.js'
import { throughput } from './instrument/throughput.js'

const sections = { accuracy, pacing, throughput, reading, arrival, memory, threads, stall }
const words = process.argv.slice(2)
const chosen = words.filter((word) => word in sections)
const table = new Table()
for (const [name, section] of Object.entries(sections)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue
  await section(table, words.includes('--quick'))
}
table.print()
process.exit()
