/**
 * A real third-party gateway to measure: @portkey-ai/gateway from npm, in a folder of its own. A request names its
 * upstream itself, by the headers of `portkeyHeaders`. The gateway's own @hono/node-server answers streams with 500 on
 * current Node; 1.13.8 does not.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../support/free-port.ts'
import { needPeer } from './peers/find.ts'

const STARTS_WITHIN_MS = 30_000

export interface Portkey {
  /** Base URL as an OpenAI client takes it, ending in /v1. */
  url: string
  pid: number | undefined
  stop(): Promise<void>
}

/** What makes Portkey pass a request on to an OpenAI-compatible `upstream` (ending in /v1). */
export function portkeyHeaders(upstream: string): Record<string, string> {
  return { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': upstream }
}

/** Starts the gateway and waits until it answers. The caller stops it. */
export async function startPortkey(port?: number): Promise<Portkey> {
  const { command, args, env } = await needPeer('portkey')
  const chosen = port ?? (await freePort())
  const child = spawn(command, [...args, `--port=${chosen}`, '--headless'], {
    env: { ...env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2_000)
  })
  const exited = once(child, 'exit')
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await exited
  }
  const origin = `http://127.0.0.1:${chosen}`
  for (const since = performance.now(); performance.now() - since < STARTS_WITHIN_MS; await sleep(50)) {
    if (child.exitCode !== null) break
    const answered = await fetch(origin).then(
      (response) => response.text().then(() => response.ok),
      () => false,
    )
    if (answered) return { url: `${origin}/v1`, pid: child.pid, stop }
  }
  await stop()
  throw new Error(`Portkey did not start on ${origin}: ${complaint}`)
}
