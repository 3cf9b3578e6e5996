// Takes a whole trace through a FIFO as the sending threads do, and tells how much memory that took.
import { setTimeout as wait } from 'node:timers/promises'
import { TraceFeed } from '../../../dist/src/workload/traces/feed.js'
import { createRing, RingRows } from '../../../dist/src/workload/traces/ring.js'

const endless = Number.POSITIVE_INFINITY
const selection = { speed: 1, share: 1, seed: 1, fromUs: 0, toUs: endless, rows: endless, durationUs: endless }
const ring = createRing()
const feed = new TraceFeed({ path: process.argv[2], selection }, ring, () => {})
const rows = new RingRows(ring)
await feed.start()
while (!rows.over) {
  rows.take(rows.written, 0)
  await wait(1)
}
const totals = await feed.close()
process.send({ rows: totals.rows, mb: process.resourceUsage().maxRSS / 1_024 }, () => process.disconnect())
