// What this machine lets any paced client do: kt's own timer and send lead time with nothing behind them, and with one
// write and one read on a raw socket for each request. Lateness and cores of both are the floor beside which kt's
// figures stand.

import { SendLeadTime, startPrecisionTimer } from '../../../dist/src/load/precision-timer.js'
import { Histogram } from '../../../dist/src/stats/histogram.js'
import { now } from '../../../dist/src/system/clock.js'
import { requestMaker } from '../../../dist/src/workload/request-maker.js'
import { opened, writeRequest } from './raw-client.js'
import { workload } from './rig.js'

const SOCKETS = 50

/** Lateness and cores of `requests` at `rps`; with a port, each is one request on a raw socket that is free. */
export async function barePace(rps, requests, port) {
  const sockets = port === undefined ? [] : await opened(port, SOCKETS)
  const free = [...sockets]
  for (const socket of sockets) socket.on('data', () => free.push(socket))
  const make = requestMaker(workload())
  const lag = new Histogram()
  const everyUs = 1e6 / rps
  let sent = 0
  let startUs = Number.POSITIVE_INFINITY
  let finish
  const finished = new Promise((resolve) => {
    finish = resolve
  })
  const leadTime = new SendLeadTime()
  const pump = () => {
    for (; sent < requests && now() >= startUs + sent * everyUs - leadTime.us; sent++) {
      const dueUs = startUs + sent * everyUs
      leadTime.learn(dueUs, now())
      while (now() < dueUs);
      const socket = free.pop()
      const atUs = socket ? writeRequest(socket, make) : now()
      // The first half second finds code that was never run.
      if (dueUs - startUs > 500_000) lag.record(atUs - dueUs)
    }
    if (sent < requests) timer.wakeAt(startUs + sent * everyUs - leadTime.us)
    else finish()
  }
  const timer = await startPrecisionTimer(now, pump)
  const before = process.cpuUsage()
  startUs = now() + 1_000
  timer.wakeAt(startUs)
  await finished
  const { user, system } = process.cpuUsage(before)
  const cores = (user + system) / (now() - startUs)
  await timer.close()
  for (const socket of sockets) socket.destroy()
  return { lag, cores }
}
