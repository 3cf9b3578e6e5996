// nginx in one process, which answers every request with the same bytes.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../support/free-port.ts'

const STARTS_WITHIN_MS = 10_000

/** `folder` takes its files. The caller stops it, and then removes the folder. */
export async function startNginx({ command, args, env }, folder, answer) {
  const port = await freePort()
  const config = join(folder, 'nginx.conf')
  await writeFile(config, configOf(port, answer))
  const options = ['-p', folder, '-c', config, '-e', 'stderr']
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
  const origin = `http://127.0.0.1:${port}`
  for (const since = performance.now(); performance.now() - since < STARTS_WITHIN_MS; await sleep(20)) {
    if (child.exitCode !== null) break
    const answered = await fetch(origin).then(
      (response) => response.text(),
      () => undefined,
    )
    if (answered === answer) return { origin, stop }
  }
  await stop()
  throw new Error(`nginx did not start: ${complaint}`)
}

/** A connection is never closed for having carried its thousand requests, which is nginx's default. */
function configOf(port, answer) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `daemon off;
master_process off;
pid nginx.pid;
error_log stderr error;
events { worker_connections 1024; }
http {
  ${temporary.map((kind) => `${kind}_temp_path ${kind};`).join('\n  ')}
  access_log off;
  keepalive_requests 1000000000;
  server {
    listen 127.0.0.1:${port};
    default_type application/json;
    location / { return 200 '${answer}'; }
  }
}
`
}
