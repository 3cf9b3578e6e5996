/** A real NATS broker on a free port, which can be stopped and started again with what it kept. */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BrokerAccess, connectTo, type Link } from '../../src/load/fleet/link.ts'
import { findPeer } from '../setup/peers/find.ts'
import { freePort } from './free-port.ts'
import { tempDir } from './temp-dir.ts'

const found = await findPeer('nats-server')
/** Why there can be no broker here. */
export const whyNoBroker = found.ok ? undefined : found.why
/** For `--fleet local:3` of a kt that is started by a test. */
export const brokerProgram = found.ok ? found.program.command : 'nats-server'

export interface Broker {
  address: string
  stop(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

/** `config` is added to its own, such as users. */
export async function startBroker(config = ''): Promise<Broker> {
  const dir = tempDir()
  const port = await freePort()
  const address = `nats://127.0.0.1:${port}`
  writeFileSync(dir.file('nats.conf'), `listen: 127.0.0.1:${port}\njetstream { store_dir: "${dir.path}" }\n${config}\n`)
  let child: ChildProcess | undefined
  const stop = async (): Promise<void> => {
    const running = child
    child = undefined
    if (!running) return
    const ended = new Promise((resolve) => running.once('exit', resolve))
    running.kill('SIGKILL')
    await ended
  }
  const start = async (): Promise<void> => {
    const { env } = found.ok ? found.program : process
    child = spawn(brokerProgram, ['--config', dir.file('nats.conf')], { stdio: 'ignore', env })
    for (let tries = 0; tries < 500; tries++) {
      if (await listens(port)) return
      await sleep(20)
    }
    throw new Error('the broker did not start')
  }
  await start()
  return {
    address,
    stop,
    start,
    close: async () => {
      await stop()
      dir.remove()
    },
  }
}

export function linkTo({ address }: Broker, access: BrokerAccess = {}): Promise<Link> {
  return connectTo(address, access, 'a test')
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.once('error', () => resolve(false))
    // The broker speaks first.
    socket.once('data', () => socket.destroy())
  })
}
