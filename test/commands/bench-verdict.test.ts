// When the client is not to be believed, it says so, and nothing passes on its word.
import { afterEach, describe, expect, it } from 'vitest'
import { httpServer, OK_BODY, type TestServer, tcpServer } from '../support/engine.ts'
import { kt, parseBench, startKt } from '../support/kt.ts'

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

/** Answers with two hundred events in one write: far less work than reading them. */
async function cheapest(): Promise<string> {
  const event = 'data: {"choices":[{"index":0,"delta":{"content":"word"}}]}\n\n'
  const body = `${event.repeat(200)}data: [DONE]\n\n`
  const answer = `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  server = await tcpServer((socket) => socket.on('data', () => socket.write(answer)))
  return server.origin
}

describe('the client', () => {
  it('says that it was the limit, and a run that it limits cannot pass a gate', async () => {
    const url = await cheapest()
    const args = ['bench', '--url', url, '--stream', '--concurrency', '100', '--duration', '1500ms', '--warmup', '200']
    const { code, stdout } = await kt([...args, '--threshold', 'latency.p99<60s', '--explain'])
    expect(stdout).toMatch(/saturated/)
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/the sending thread was busy \d+ % of the time/)
    expect(code).toBe(4)
  })

  it('says that the machine was, where it is kept from running', async () => {
    server = await httpServer((request, response) => {
      request.resume()
      request.on('end', () => response.end(OK_BODY))
    })
    const running = startKt([
      'bench',
      '--url',
      server.origin,
      '--rps',
      '50',
      '--duration',
      '3s',
      '--warmup',
      '5',
      '--json',
    ])
    // What a machine without a core to spare does to it: stopped for 120 ms, running for 80, again and again.
    let over = false
    const ended = running.ended.finally(() => {
      over = true
    })
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
    while (!over) {
      running.child.kill('SIGSTOP')
      await pause(120)
      running.child.kill('SIGCONT')
      await pause(80)
    }
    const { client } = parseBench((await ended).stdout)
    expect(client.verdict).toBe('noisy')
    expect(client.why.join()).toMatch(/ms late at P99/)
    expect(client.sendLagMs?.p99).toBeGreaterThan(20)
  })
})
