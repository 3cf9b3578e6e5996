// Clocks of other hosts, for real: network namespaces with a relay between them that delays, jitters and is cut, and
// time namespaces whose clocks are ahead by a known time.
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ClockOffset, clockTrack } from '../../../src/load/fleet/clock-offset.ts'
import { type Host, makeNetwork, type Network, whyNoHosts } from '../../support/hosts/network.ts'
import type { Way } from '../../support/hosts/relay-process.ts'

const CLOCK = fileURLToPath(new URL('../../support/hosts/clock-process.ts', import.meta.url))
const PORT = 7_000
const SECOND_US = 1_000_000

const whyNot = whyNoHosts()
let network: Network
let here: Host

describe('hosts in namespaces', () => {
  beforeAll(async () => {
    if (whyNot !== undefined) return
    network = await makeNetwork()
    here = await network.host('here', { clockAheadS: 5_000 })
  })
  afterAll(async () => {
    if (whyNot === undefined) expect(await network.close()).toEqual([])
  })
  beforeEach(({ skip }) => {
    if (whyNot !== undefined) skip(whyNot)
  })

  async function clockAt(name: string, clockAheadS: number): Promise<Host> {
    const host = await network.host(name, { clockAheadS })
    const served = host.start(process.execPath, CLOCK, 'serve', host.address, String(PORT))
    if (served.stdout) await once(served.stdout, 'data')
    return host
  }

  async function measure(host: Host, way: Partial<Way> = {}): Promise<ClockOffset> {
    const { address, port } = await network.way(here, host, PORT, way)
    const measured = JSON.parse(await here.node(CLOCK, 'ask', address, String(port)))
    expect(measured).toMatchObject({ ok: true })
    return measured.value
  }

  test.for<[string, number, Partial<Way>]>([
    ['near', 0, {}],
    ['far', 86_400, { thereMs: 12, backMs: 12, jitterMs: 3 }],
    ['lopsided there', 1_000_000, { thereMs: 25, backMs: 1, jitterMs: 2 }],
    ['lopsided back', 3, { thereMs: 1, backMs: 25, jitterMs: 2 }],
  ])('%s: the error of the measured offset is within its bound', async ([name, clockAheadS, way]) => {
    const host = await clockAt(name, clockAheadS)
    const { offsetUs, errorUs, roundTripUs } = await measure(host, way)
    const trueUs = (clockAheadS - here.clockAheadS) * SECOND_US
    expect(Math.abs(offsetUs - trueUs)).toBeLessThanOrEqual(errorUs)
    // A bound that is of use: half the fastest round trip, and what clocks may have run apart within three seconds.
    expect(errorUs).toBeLessThanOrEqual(roundTripUs / 2 + 3_000)
    // Where one way takes 24 ms more, the offset cannot be known better than that, and is off by about half of it.
    const lopsidedMs = Math.abs((way.thereMs ?? 0) - (way.backMs ?? 0))
    if (lopsidedMs > 0) expect(Math.abs(offsetUs - trueUs)).toBeGreaterThan((lopsidedMs / 2) * 500)
  })

  test('before and after a run: the line between them, and a host whose clock stood still for 2 s', async () => {
    const host = await clockAt('steady', 700)
    const slept = await clockAt('slept', 698)
    const before = await measure(host, { thereMs: 2, backMs: 5, jitterMs: 1 })
    const after = await measure(host, { thereMs: 6, backMs: 1, jitterMs: 1 })
    const track = clockTrack([before, after])
    if (!track.ok) throw new Error(track.why)
    const { offsetUs, errorUs } = track.value.at((before.atUs + after.atUs) / 2)
    expect(Math.abs(offsetUs - (700 - here.clockAheadS) * SECOND_US)).toBeLessThanOrEqual(errorUs)
    expect(Math.abs(track.value.driftUs)).toBeLessThanOrEqual(track.value.driftErrorUs)
    expect(clockTrack([before, await measure(slept)])).toMatchObject({
      ok: false,
      why: expect.stringContaining('jumped'),
    })
  })

  test('a host that is cut off answers nothing until it is healed', async () => {
    const host = await clockAt('cut', 50)
    await network.cut(host)
    let answered = false
    const measured = measure(host).finally(() => {
      answered = true
    })
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(answered).toBe(false)
    await network.heal(host)
    const { offsetUs, errorUs } = await measured
    expect(Math.abs(offsetUs - (50 - here.clockAheadS) * SECOND_US)).toBeLessThanOrEqual(errorUs)
  })
})
