// Streams that begin well and tell their failure by an event's name: thresholds, SLOs and the report take them for
// failures.
import { afterEach, expect, it } from 'vitest'
import { httpServer, type TestServer } from '../support/engine.ts'
import { parseBench } from '../support/kt.ts'
import { AT_ONCE, run } from '../support/run-command.ts'

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const token = 'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n'
const ERROR = 'event: error\ndata: {"message":"worker lost","code":503}\n\n'

/** Every `nth` stream fails. */
async function failing(nth: number): Promise<string[]> {
  let sent = 0
  server = await httpServer((request, response) => {
    request.resume()
    request.on('end', () => {
      const error = ++sent % nth === 0 ? ERROR : ''
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(token)
      setTimeout(() => response.end(`${token}${error}data: [DONE]\n\n`), 5)
    })
  })
  return ['bench', '--url', server.origin, '--stream', '--requests', '300', '--concurrency', '2', ...AT_ONCE]
}

it.each([
  ['a threshold on errors', ['--threshold', 'errors.rate<1%']],
  ['a threshold on goodput', ['--threshold', 'goodput>99%', '--slo', 'batch']],
  ['an SLO', ['--slo', 'chat-short']],
])('%s fails with exit 3', async (_name, judged) => {
  const { code, stdout } = await run([...(await failing(3)), ...judged])
  expect(stdout).toMatch(/^FAIL /m)
  expect(code).toBe(3)
  expect(stdout).toMatch(/KT_STREAM_ERROR {2}100 x an error event inside a 200 stream: "worker lost"/)
})

it('where every stream fails, nothing passes: exit 4, and the server’s words are shown', async () => {
  const { code, stdout } = await run([...(await failing(1)), '--threshold', 'latency.p99<60s'])
  expect(code).toBe(4)
  expect(stdout).toContain('Every request failed')
  expect(stdout).toContain('"worker lost"')
})

it('the report counts them, and what they took is not in the latency of answers', async () => {
  const { stdout } = await run([...(await failing(3)), '--json'])
  const { totals, latencyMs } = parseBench(stdout)
  expect(totals).toMatchObject({ sent: 300, successful: 200, failed: 100, outcomes: { OK: 200, KT_STREAM_ERROR: 100 } })
  expect(latencyMs?.count).toBe(200)
})
