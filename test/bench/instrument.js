// What the instrument itself does, in one run: how far its latencies lie above the provider's own record, how late it
// sends, how many requests and events one thread takes, whether its memory grows, what a second thread brings, what a
// stall looks like; and how it stands beside the best peers and against the kernel's own stamps. Peers and raw sockets
// are measured in turns with it, in the same run. Ends in a table: figure, aim, ratio. npm run build && npx -c 'node
// test/bench/instrument.js [section ...] [--quick] [--rounds 9] [--with guidellm,aiperf]'
import { parseArgs } from 'node:util'
import { Table } from './instrument/rig.js'
import { SECTIONS } from './instrument/sections.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    with: { type: 'string', default: '' },
  },
})
const unknown = positionals.filter((name) => !(name in SECTIONS))
if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}; there are ${Object.keys(SECTIONS).join(', ')}`)
const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) throw new Error('--rounds takes a number from 1')
/** Of the sections that have them. */
const options = { rounds, also: values.with.split(',').filter(Boolean) }
const table = new Table()
for (const name of positionals.length > 0 ? positionals : Object.keys(SECTIONS)) {
  await SECTIONS[name](table, values.quick, options)
}
table.print()
process.exit()
