// Requests a second of one sending thread, from a server that answers faster than any client asks: small JSON from
// nginx, as many in flight, each tool in turns. Each tool is a process of its own and shares the machine with nginx.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPeer } from '../../setup/peers/find.ts'
import { autocannon } from '../peers/autocannon.ts'
import { bareNode } from '../peers/bare-node.ts'
import { kt } from '../peers/kt.ts'
import { startNginx } from '../peers/nginx.js'
import { oha } from '../peers/oha.ts'
import { of, printTools, ranged, toolsInTurns } from '../peers/rounds.js'
import { summarise } from '../peers/summary.ts'
import { wrk } from '../peers/wrk.ts'
import { say } from './rig.js'
import { SMALL_ANSWER } from './small-answer.js'

const ROUNDS = 5
const AIMS = { autocannon: 1, wrk: 1, oha: 0.95 }

export async function requests(table, quick, { rounds = quick ? 2 : ROUNDS } = {}) {
  const seconds = quick ? 2 : 4
  const turns = `${rounds} rounds of ${seconds} s in turns`
  say(`\nrequests/s of one sending thread, 50 in flight, small JSON from nginx; ${turns}`)
  const found = await findPeer('nginx')
  if (!found.ok) {
    say(`  not run: no nginx: ${found.why}`)
    return
  }
  const folder = await mkdtemp(join(tmpdir(), 'kt-nginx-'))
  const nginx = await startNginx(found.program, folder, SMALL_ANSWER)
  try {
    const load = { origin: nginx.origin, inFlight: 50, seconds, tokens: 1, oneThread: true }
    const measured = await toolsInTurns([kt, autocannon, wrk, oha, bareNode], rounds, load)
    printTools(measured, ['requests/s'], (runs) => [ranged(of(runs, 'perSecond'), 0)])
    const { kt: own, ...others } = measured.seen
    for (const [name, runs] of Object.entries(own ? others : {})) {
      const ratios = own.map(({ perSecond }, round) => perSecond / runs[round].perSecond)
      say(`  kt to ${name}, round by round: ${ranged(ratios)}`)
      const { median } = summarise(ratios)
      if (AIMS[name] === undefined) continue
      table.row(`requests/s of ${name}’s, small JSON from nginx`, median, 'x', AIMS[name], 'high', median)
    }
  } finally {
    await nginx.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
