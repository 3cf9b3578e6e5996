// The processes that the gateway's benchmarks set side by side: an upstream that answers at once, a bare proxy of
// node:http and undici (what any gateway in Node pays at least), and the gateway itself. Started as children with an
// IPC channel: each says its URL and ends with its parent.

import { fork } from 'node:child_process'
import { createServer } from 'node:http'
import { createServer as createHttp2 } from 'node:http2'
import { fileURLToPath } from 'node:url'

const self = fileURLToPath(import.meta.url)
const root = new URL('../../../dist/', import.meta.url)

/** To look into the proxies: PROXY_NODE_ARGS='--cpu-prof --cpu-prof-dir=…' node test/bench/gateway/… */
const NODE_ARGS = (process.env.PROXY_NODE_ARGS ?? '').split(' ').filter(Boolean)

/**
 * Starts one of the roles below; resolves to its URL, its end, and a look at its memory (in MiB, after a collection).
 */
export function start(role, options = {}) {
  const child = fork(self, [role, JSON.stringify(options)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: ['--expose-gc', ...(role === 'gateway' || role === 'bare' ? NODE_ARGS : [])],
  })
  const memory = () =>
    new Promise((resolve) => {
      child.once('message', resolve)
      child.send('memory')
    })
  return new Promise((resolve, reject) => {
    child.once('message', (url) => resolve({ url, pid: child.pid, memory, stop: () => child.disconnect() }))
    child.once('exit', (code) => reject(new Error(`${role} ended with ${code}`)))
  })
}

const WORDS = ['The', ' quick', ' brown', ' fox', ' jumps', ' over', ' the', ' lazy', ' dog', '.\\n']
const EVENT = (index, fingerprint = 'fp_1') =>
  'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m",' +
  `"system_fingerprint":"${fingerprint}","choices":[{"index":0,"delta":{"content":"${WORDS[index % WORDS.length]}"},` +
  '"logprobs":null,"finish_reason":null}]}\n\n'
/** Microseconds of the clock that all processes of a machine share. */
const nowUs = () => Number(process.hrtime.bigint() / 1_000n)

const roles = {
  /**
   * JSON of about 1 KB with what it took in `server-timing`, or a stream: `events` in all, `perWrite` in one write,
   * one write every `gapMs` (0: at once). `stamped`: each event says when it was written. `http2`: h2c.
   */
  upstream({ events = 2_000, perWrite = 200, gapMs = 0, stamped = false, http2 = false }) {
    const json = Buffer.from(JSON.stringify({ id: 'x', choices: [{ message: { content: 'word '.repeat(180) } }] }))
    const chunk = Buffer.from(Array.from({ length: perWrite }, (_, index) => EVENT(index)).join(''))
    const create = http2 ? createHttp2 : createServer
    // Longer than the other arms' turns take: connections stay warm.
    return create({ keepAliveTimeout: 65_000 }, (request, response) => {
      const parts = []
      request
        .on('data', (part) => parts.push(part))
        .on('end', () => {
          const arrivedUs = nowUs()
          if (!Buffer.concat(parts).includes('"stream":true')) {
            const headers = { 'content-type': 'application/json', 'content-length': json.length }
            const timing = `kt-provider;dur=${(nowUs() - arrivedUs) / 1_000}`
            response.writeHead(200, { ...headers, 'server-timing': timing }).end(json)
            return
          }
          response.writeHead(200, { 'content-type': 'text/event-stream' })
          let left = events / perWrite
          const more = () => {
            if (left-- <= 0) return void response.end('data: [DONE]\n\n')
            const ready = response.write(stamped ? EVENT(events - left, nowUs()) : chunk)
            if (gapMs > 0) setTimeout(more, gapMs)
            else if (ready) setImmediate(more)
            else response.once('drain', more)
          }
          more()
        })
    })
  },

  /** Sends a prompt of 1 MiB every `gapMs`. */
  async large({ url, gapMs }) {
    const { request: ask } = await import('undici')
    const content = 'The quick brown fox jumps over the lazy dog. '.repeat((1_024 * 1_024) / 45)
    const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] })
    const headers = { 'content-type': 'application/json' }
    const send = async () => {
      const answer = await ask(`${url}/v1/chat/completions`, { method: 'POST', headers, body })
      await answer.body.dump()
      setTimeout(send, gapMs)
    }
    await send()
    return 'sending'
  },

  async bare({ upstream }) {
    const { Agent, request: ask } = await import('undici')
    const dispatcher = new Agent({ connections: 256, pipelining: 1, keepAliveTimeout: 60_000, allowH2: false })
    return createServer(async (request, response) => {
      const parts = []
      for await (const part of request) parts.push(part)
      const { host: _host, connection: _connection, ...headers } = request.headers
      const answer = await ask(new URL(request.url, upstream), {
        method: request.method,
        headers,
        body: Buffer.concat(parts),
        dispatcher,
      })
      const { connection: _c, 'keep-alive': _k, 'transfer-encoding': _t, ...passed } = answer.headers
      response.writeHead(answer.statusCode, passed)
      answer.body.pipe(response)
    })
  },

  async gateway({ upstream, settings = {}, policies = [] }) {
    const { gatewayConfigSchema } = await import(new URL('reference-gateway/config/config.js', root))
    const { startGateway } = await import(new URL('reference-gateway/gateway.js', root))
    const providers = [{ name: 'openai', base_url: `${upstream}/v1` }]
    const config = gatewayConfigSchema({}).parse({
      gateway: { port: 0, admin_port: 'off', providers, ...settings },
      policies,
    })
    const gateway = await startGateway(config, { report: (problem) => process.stderr.write(`${problem}\n`) })
    await gateway.warmedUp
    return gateway.url
  },
}

if (process.argv[1] === self) {
  const [, , role, options] = process.argv
  const made = await roles[role](JSON.parse(options))
  process.once('disconnect', () => process.exit())
  process.on('message', () => {
    globalThis.gc()
    const { heapUsed, rss } = process.memoryUsage()
    process.send({ heap: heapUsed / 2 ** 20, rss: rss / 2 ** 20 })
  })
  if (typeof made === 'string') process.send(made)
  else made.listen(0, '127.0.0.1', () => process.send(`http://127.0.0.1:${made.address().port}`))
}
