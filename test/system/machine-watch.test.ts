// What the machine withholds from a run is seen: with the kernel's account, and without any.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { now } from '../../src/system/clock.ts'
import { localClients, localListeners } from '../../src/system/listeners.ts'
import { type MachineEvidence, watchMachine } from '../../src/system/machine-watch.ts'
import { tempDir } from '../support/temp-dir.ts'

const busy: ChildProcess[] = []
const servers: Server[] = []

afterEach(async () => {
  for (const loop of busy.splice(0)) loop.kill('SIGKILL')
  for (const server of servers.splice(0)) server.close()
})

function loadAllCores(times: number): void {
  for (let i = 0; i < times * availableParallelism(); i++) {
    busy.push(spawn(process.execPath, ['-e', 'for (;;) {}'], { stdio: 'ignore' }))
  }
}

/** A thread of this process that needs a core now and then. */
async function workFor(ms: number): Promise<void> {
  const untilMs = performance.now() + ms
  while (performance.now() < untilMs) {
    for (let i = 0; i < 200_000; i++) Math.sqrt(i)
    await sleep(1)
  }
}

async function evidenceOf(root: string, ms = 1_000): Promise<MachineEvidence> {
  const watch = await watchMachine([], root)
  await sleep(100)
  const fromUs = now()
  await workFor(ms)
  const evidence = watch.between(fromUs, now())
  watch.end()
  return evidence
}

describe('the watch over the machine', () => {
  it.each([
    ['the account of the kernel', 'schedstat', (): string => ''],
    ['a probe, where /proc is hidden', 'probe', (): string => tempDir().path],
  ] as const)('sees by %s that every core is taken several times over', async (_, source, root) => {
    loadAllCores(6)
    await sleep(500)
    const seen = await evidenceOf(root())
    expect(seen.source).toBe(source)
    expect(seen.spanMs).toBeGreaterThan(900)
    expect(seen.waitMs).toBeGreaterThan(20)
    expect(seen.starvedMs).toBeGreaterThan(0.1 * seen.spanMs)
    expect(seen.starvedSpells).toBeGreaterThan(0)
    expect(seen.targetsWaitMs).toBeNull()
    if (source === 'probe') expect(seen).toMatchObject({ pressure: null, stealMs: null, throttledMs: null })
    else expect(seen.pressure).toBeGreaterThan(0.2)
  })

  it('counts the wait of a target in another process', async () => {
    loadAllCores(6)
    const target = spawn(process.execPath, [
      '-e',
      'setInterval(() => { for (let i = 0; i < 1e6; i++) Math.sqrt(i) }, 1)',
    ])
    busy.push(target)
    await sleep(500)
    const watch = await watchMachine([target.pid ?? 0])
    const fromUs = now()
    await sleep(1_000)
    const { targetsWaitMs } = watch.between(fromUs, now())
    watch.end()
    expect(targetsWaitMs).toBeGreaterThan(50)
  })

  it('gives a span its part of what was withheld, and none to no span', async () => {
    const watch = await watchMachine([])
    const fromUs = now()
    await workFor(300)
    const middleUs = now()
    await workFor(300)
    const toUs = now()
    const [first, second, whole] = [
      watch.between(fromUs, middleUs),
      watch.between(middleUs, toUs),
      watch.between(fromUs, toUs),
    ]
    watch.end()
    expect(first.waitMs + second.waitMs).toBeCloseTo(whole.waitMs, 1)
    expect(watch.between(toUs, toUs)).toMatchObject({ spanMs: 0, waitMs: 0, starvedMs: 0, starvedSpells: 0 })
  })
})

describe('the processes behind an address', () => {
  async function listenOn(host: string): Promise<number> {
    const server = createServer()
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, host, resolve))
    const address = server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  it.runIf(process.platform === 'linux')('are found on loopback, by either family and by name', async () => {
    const four = await listenOn('127.0.0.1')
    const six = await listenOn('::1')
    expect(await localListeners(`http://127.0.0.1:${four}`)).toEqual([process.pid])
    expect(await localListeners(`http://localhost:${four}/v1`)).toEqual([process.pid])
    expect(await localListeners(`http://[::1]:${six}`)).toEqual([process.pid])
  })

  it.runIf(process.platform === 'linux')('are those that are connected to it', async () => {
    const port = await listenOn('127.0.0.1')
    expect(await localClients(`http://127.0.0.1:${port}`)).toEqual([])
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    expect(await localClients(`http://localhost:${port}`)).toEqual([process.pid])
    socket.destroy()
  })

  it('are none where nobody listens, the machine is another one, or there is no /proc', async () => {
    const port = await listenOn('127.0.0.1')
    expect(await localListeners('http://127.0.0.1:9')).toEqual([])
    expect(await localListeners('http://192.0.2.1:80')).toEqual([])
    expect(await localListeners('http://no-such-host.invalid')).toEqual([])
    expect(await localListeners(`http://127.0.0.1:${port}`, '/nowhere')).toEqual([])
  })
})
