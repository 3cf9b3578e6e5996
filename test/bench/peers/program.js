// A server that is a program of its own: started, waited for, stopped.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

const STARTS_WITHIN_MS = 10_000

/** Resolves when `path` of `origin` is answered with a 200. */
export async function startProgram({ command, args, env }, options, origin, path, withinMs = STARTS_WITHIN_MS) {
  const child = spawn(command, [...args, ...options], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaint = (complaint + text).slice(-2_000)
  })
  const exited = once(child, 'exit')
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await exited
  }
  for (const since = performance.now(); performance.now() - since < withinMs; await sleep(20)) {
    if (child.exitCode !== null) break
    const status = await fetch(origin + path).then(
      async (response) => {
        await response.arrayBuffer()
        return response.status
      },
      () => undefined,
    )
    if (status === 200) return { origin, pid: child.pid, stop }
  }
  await stop()
  throw new Error(`${command} did not start: ${complaint}`)
}
