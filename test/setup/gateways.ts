/**
 * The gateways of examples/gateways/, started before a provider: what a folder's start.json says is run by the
 * installer's program, with free ports of loopback in place of those that its configs name, and 41001 stands for the
 * provider's. Nothing but what was started here is ended.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { freePort } from '../support/free-port.ts'
import { CATALOGUE, type Program } from './peers/catalogue.ts'
import { needPeer, type PeerName } from './peers/find.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const examples = join(root, 'examples', 'gateways')
const PROVIDER_PORT = 41_001
const STARTS_WITHIN_MS = 120_000
const ENDS_WITHIN_MS = 5_000
/** What the gateways are asked with: LiteLLM's folder has it as its master key, the others pass it on. */
export const API_KEY = 'sk-kt-field'
/** Those that the short form of the field trial measures. */
export const IN_SHORT_FORM: readonly string[] = ['envoy', 'litellm', 'nginx', 'portkey']

const isPeer = (name: string): name is PeerName => name in CATALOGUE
const words = z.array(z.string())
const texts = z.record(z.string(), z.string())

const startSchema = z.strictObject({
  program: z.string().refine((name) => name === 'kt' || isPeer(name), 'neither kt nor a program of the catalogue'),
  /** Of the configs: the first is the gateway's own. */
  ports: z.array(z.int()).min(1),
  files: words.default([]),
  args: words,
  env: texts.default({}),
  headers: texts.default({}),
  /** Of the API below the address. */
  path: z.string().default(''),
  /** What is answered with 200 once it serves. */
  ready: z.string().default('/v1/models'),
  /** What differs where its cache is on; absent where it has none. */
  cached: z.strictObject({ args: words.optional() }).optional(),
})

export interface Gateway {
  name: string
  version: string
  /** As kt's --url takes it. */
  url: string
  /** What a request must have. */
  headers: Record<string, string>
  pid: number
  stop(): Promise<void>
  /** Lets it run on when this process ends. */
  detach(): void
}

/** Folders with a start.json; the others could not be had here. */
export function gatewayNames(): string[] {
  return readdirSync(examples).filter((name) => existsSync(join(examples, name, 'start.json')))
}

export function hasCache(name: string): boolean {
  return startOf(name).cached !== undefined
}

function startOf(name: string): z.output<typeof startSchema> {
  return startSchema.parse(JSON.parse(readFileSync(join(examples, name, 'start.json'), 'utf8')))
}

async function programOf(name: string): Promise<Program> {
  if (isPeer(name)) return needPeer(name)
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
  return { version, command: process.execPath, args: [join(root, 'bin', 'run.js')], env: process.env }
}

export interface StartOptions {
  /** For its configs, its log and what it writes. */
  folder: string
  cached?: boolean
  /** Changes a config before the start. */
  edit?: (text: string, file: string) => string
  env?: Record<string, string>
}

/** Starts the gateway before `upstream`, an address on 127.0.0.1, and waits until it answers. */
export async function startGateway(name: string, upstream: string, options: StartOptions): Promise<Gateway> {
  const { folder, cached = false, edit = (text: string) => text } = options
  const { hostname, port } = new URL(upstream)
  if (hostname !== '127.0.0.1') throw new Error(`the configs have 127.0.0.1 as the provider's host, not ${hostname}`)
  const start = startOf(name)
  const args = (cached ? start.cached?.args : undefined) ?? start.args
  const program = await programOf(start.program)
  const free = new Map([[PROVIDER_PORT, Number(port)]])
  for (const each of start.ports) free.set(each, await freePort())
  const named = new RegExp(`\\b(?:${[...free.keys()].join('|')})\\b`, 'g')
  const here = (text: string): string =>
    text.replaceAll(named, (found) => String(free.get(Number(found)))).replaceAll('$PWD', folder)
  const allHere = (record: Record<string, string>) =>
    Object.fromEntries(Object.entries(record).map(([key, value]) => [key, here(value)]))
  mkdirSync(folder, { recursive: true })
  for (const file of start.files) {
    writeFileSync(join(folder, file), here(edit(readFileSync(join(examples, name, file), 'utf8'), file)))
  }
  const log = openSync(join(folder, 'log'), 'w')
  const child = spawn(program.command, [...program.args, ...args.map(here)], {
    cwd: folder,
    env: { ...program.env, ...allHere(start.env), ...options.env },
    stdio: ['ignore', log, log],
    // What it starts itself is in its group, and ends with it.
    detached: true,
  })
  closeSync(log)
  const origin = `http://127.0.0.1:${free.get(start.ports[0] ?? 0)}`
  const stop = (): Promise<void> => end(child)
  await answering(child, origin + start.ready).catch(async (error: unknown) => {
    await stop()
    const said = readFileSync(join(folder, 'log'), 'utf8').slice(-600)
    throw new Error(`${name} did not start: ${String(error)}\n${said}`)
  })
  const url = origin + start.path
  return {
    name,
    version: program.version,
    url,
    headers: allHere(start.headers),
    pid: child.pid ?? 0,
    stop,
    detach: () => child.unref(),
  }
}

async function answering(child: ChildProcess, url: string): Promise<void> {
  const failed = once(child, 'error').then(([error]) => Promise.reject(error))
  failed.catch(() => {})
  for (const since = performance.now(); performance.now() - since < STARTS_WITHIN_MS; ) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('it ended')
    const status = await fetch(url, { headers: { authorization: `Bearer ${API_KEY}` } }).then(
      (answer) => answer.arrayBuffer().then(() => answer.status),
      () => undefined,
    )
    if (status === 200) return
    await Promise.race([sleep(50), failed])
  }
  throw new Error(`${url} was not answered with 200`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  process.kill(-child.pid, 'SIGTERM')
  if (await Promise.race([exited, sleep(ENDS_WITHIN_MS)])) return
  process.kill(-child.pid, 'SIGKILL')
  await exited
}
