// nginx in one process, which answers every request with the same bytes, or passes every request on.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../support/free-port.ts'
import { startProgram } from './program.js'

/** Answers `answer`. `folder` takes its files. The caller stops it, and then removes the folder. */
export async function startNginx(program, folder, answer) {
  return start(program, folder, { path: '/', within: `return 200 '${answer}';` })
}

/** Passes requests on to `origin`, over connections that stay open, and answers as they come. */
export async function startNginxBefore(program, folder, origin) {
  const pass = [
    'proxy_http_version 1.1',
    'proxy_set_header Connection ""',
    'proxy_buffering off',
    'proxy_pass http://to',
  ]
  const beside = `upstream to { server ${new URL(origin).host}; keepalive 64; }`
  return start(program, folder, { path: '/v1/models', within: `${pass.join('; ')};`, beside })
}

async function start(program, folder, { path, within, beside = '' }) {
  const port = await freePort()
  const config = join(folder, 'nginx.conf')
  await writeFile(config, configOf(port, within, beside))
  return startProgram(program, ['-p', folder, '-c', config, '-e', 'stderr'], `http://127.0.0.1:${port}`, path)
}

/** A connection is never closed for having carried its thousand requests, which is nginx's default. */
function configOf(port, within, beside) {
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
  ${beside}
  server {
    listen 127.0.0.1:${port};
    default_type application/json;
    location / { ${within} }
  }
}
`
}
