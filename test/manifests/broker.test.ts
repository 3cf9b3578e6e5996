// The configuration of the broker that is deployed with a fleet, by a real server: it has JetStream, a port that says
// when it is ready, and lets in whoever has the credentials of the Secret, such
// as a worker that is started as its pod starts it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import { connectTo } from '../../src/load/fleet/link.ts'
import { findWorkers } from '../../src/load/fleet/roll.ts'
import { fleetManifests } from '../../src/manifests/fleet.ts'
import { parseFleetFlags } from '../../src/manifests/fleet-flags.ts'
import { manifestFiles } from '../../src/manifests/manifests.ts'
import { brokerProgram, whyNoBroker } from '../support/broker.ts'
import { freePort } from '../support/free-port.ts'
import { startKt } from '../support/kt.ts'
import { laterRefusalOf } from '../support/refusal.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
const ending: (() => Promise<unknown>)[] = []

beforeEach(({ skip }) => {
  if (whyNoBroker !== undefined) skip(whyNoBroker)
})
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end()
  dir.remove()
})

test('it starts, is ready, and asks for the credentials', async () => {
  const { settings } = parseFleetFlags({ workers: '3' }, 'kt fleet manifests')
  const files = manifestFiles('a test', fleetManifests(settings))
  const [container] = parse(files['nats-deployment.yaml'] ?? '').spec.template.spec.containers
  const [port, monitor] = [await freePort(), await freePort()]
  const written: string = parse(files['nats-configmap.yaml'] ?? '').data['nats.conf']
  // Only its ports and its folder are this machine's.
  const conf = written.replace('4222', String(port)).replace('8222', String(monitor)).replace('/data', dir.path)
  const args = container.args.map((word: string) =>
    word === '/etc/nats/nats.conf' ? dir.write('nats.conf', conf) : word,
  )
  const env = { NATS_USER: 'kt', NATS_PASSWORD: 'kt-4711', GOMEMLIMIT: container.env.at(-1).value }
  const server = spawn(brokerProgram, args, { env, stdio: 'ignore' })
  ending.push(async () => {
    server.kill()
    await once(server, 'exit')
  })
  const { path } = container.readinessProbe.httpGet
  const ready = () => fetch(`http://127.0.0.1:${monitor}${path}`).then(({ status }) => status, String)
  await expect.poll(ready, { timeout: 20_000 }).toBe(200)
  const address = `nats://127.0.0.1:${port}`
  const link = await connectTo(address, { user: 'kt', password: 'kt-4711' }, 'a test')
  ending.push(() => link.close())
  const stream = await (await link.jsm()).streams.add({ name: 'KT_RUN_x', subjects: ['kt.run.x.results.>'] })
  expect(stream.config.storage).toBe('file')
  const refused = await laterRefusalOf(() => connectTo(address, { user: 'kt', password: 'wrong' }, 'a test'))
  expect(refused.message).toContain('refuses these credentials')
  // A worker, by the arguments and the variables of its pod, as Kubernetes fills them in.
  const [pod] = parse(files['job.yaml'] ?? '').spec.template.spec.containers
  const filled: Record<string, string> = { JOB_COMPLETION_INDEX: '2', NODE_NAME: 'node-a' }
  const words = pod.args.map((word: string) => word.replace(/\$\((\w+)\)/, (_, name) => filled[name] ?? ''))
  const names: string[] = pod.env.map(({ name }: { name: string }) => name)
  const given: Record<string, string> = { NATS_USER: 'kt', NATS_PASSWORD: 'kt-4711', KT_NATS: address }
  const worker = startKt(words, Object.fromEntries(names.map((name) => [name, given[name] ?? ''])))
  await Promise.race([
    worker.saidOnStdout(/kt-fleet-2 waits at nats:/),
    worker.ended.then(({ stderr }) => fail(stderr)),
  ])
  const [card] = await findWorkers(link)
  expect(card).toMatchObject({ name: 'kt-fleet-2', labels: { node: 'node-a' } })
  worker.child.kill('SIGTERM')
  expect((await worker.ended).code).toBe(0)
})

function fail(why: string): never {
  throw new Error(why)
}
