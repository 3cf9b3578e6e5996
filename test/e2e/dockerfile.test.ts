// The image of the manifests: its steps are executed in a folder, and what comes of them runs, as the user it names,
// with the configuration that --emit writes.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { buildInFolder } from '../support/dockerfile.ts'
import { freePort } from '../support/free-port.ts'
import { kt } from '../support/kt.ts'
import { tempDir } from '../support/temp-dir.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const node = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url))
const dir = tempDir()
let image: Awaited<ReturnType<typeof buildInFolder>>

beforeAll(async () => {
  chmodSync(dir.path, 0o755)
  const path = [dirname(node), dirname(process.execPath), process.env.PATH].join(delimiter)
  image = await buildInFolder(readFileSync(join(root, 'Dockerfile'), 'utf8'), root, dir.path, path)
})
afterAll(() => dir.remove())

/** As the user of the image, where the test may take it. */
const asUser = () => (process.getuid?.() === 0 ? { uid: Number(image.user), gid: Number(image.user) } : {})
const inImage = (path: string): string => join(image.root, path)
const entry = (): string => inImage(image.entrypoint[1] ?? '')

test('it is for the Node of the project, small, and not for root', () => {
  expect(image.base).toBe(
    `node:${readFileSync(join(root, '.nvmrc'), 'utf8').trim().replace(/^v/, '').split('.')[0]}-slim`,
  )
  expect(Number(image.user)).toBeGreaterThan(0)
  expect(image.entrypoint[0]).toBe('node')
  const files = globSync('**/*', { cwd: image.root }).map((file) => statSync(inImage(file)))
  const megabytes = files.filter((file) => file.isFile()).reduce((sum, { size }) => sum + size, 0) / 1e6
  expect(megabytes).toBeLessThan(90)
  expect(globSync('app/node_modules/{typescript,vitest,oclif,@biomejs/*}/package.json', { cwd: image.root })).toEqual(
    [],
  )
})

test('it has what a gateway or a worker may be told to use, and nothing for plans', () => {
  const modules = (name: string): boolean => existsSync(inImage(`app/node_modules/${name}/package.json`))
  const brought = ['ioredis', '@opentelemetry/api', '@opentelemetry/exporter-trace-otlp-http', '@nats-io/jetstream']
  for (const name of [...brought, '@nats-io/transport-node']) expect(modules(name), name).toBe(true)
  expect(modules('kubernetes-models')).toBe(false)
})

test('it runs kt', async () => {
  const { stdout } = await run(node, [entry(), '--version'], { cwd: inImage(image.workdir), env: {}, ...asUser() })
  expect(stdout).toMatch(/^kt-bench\/\d/)
  const planned = await run(node, [entry(), 'plan', '--rps', '10', '--profile', 'chat'], {
    cwd: inImage(image.workdir),
    env: {},
    ...asUser(),
  })
  expect(planned.stdout).toMatch(/^Deploy /)
})

test('it is the gateway of the manifests: their arguments, port and configuration make it ready', async () => {
  const out = join(dir.path, 'deploy')
  mkdirSync(out, { recursive: true })
  const provider = createServer((_, response) => response.end('{}')).listen(0, '127.0.0.1')
  await once(provider, 'listening')
  const { port: providerPort } = provider.address() as AddressInfo
  const emit = ['--emit', 'kubernetes', '--out', out, '--provider-url', `http://127.0.0.1:${providerPort}/v1`]
  expect((await kt(['plan', '--rps', '10', '--profile', 'chat', ...emit])).code).toBe(0)
  const [pod, map] = ['deployment', 'configmap'].map((name) =>
    parse(readFileSync(join(out, 'kubernetes', `${name}.yaml`), 'utf8')),
  )
  const [container] = pod.spec.template.spec.containers
  expect(pod.spec.template.spec.securityContext.runAsUser).toBe(Number(image.user))
  expect(image.exposed).toEqual([String(container.ports[0].containerPort)])
  const port = await freePort()
  const config = join(dir.path, 'gateway.yaml')
  writeFileSync(config, map.data['gateway.yaml'].replace(/port: \d+/, `port: ${port}`))
  const args = container.args.map((arg: string) => (arg.startsWith('/etc/kt/') ? config : arg))
  const child = spawn(node, [entry(), ...args], {
    cwd: inImage(image.workdir),
    // Its secrets, as the Deployment names them.
    env: Object.fromEntries(container.env.map(({ name }: { name: string }) => [name, `the-${name}`])),
    stdio: 'ignore',
    ...asUser(),
  })
  try {
    await expect
      .poll(async () => (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.status, {
        timeout: 30_000,
      })
      .toBe(200)
  } finally {
    child.kill()
    provider.closeAllConnections()
    provider.close()
  }
})
