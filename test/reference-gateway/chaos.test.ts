/** Providers that fail and clients that leave, all at once: afterwards nothing is open, in flight, or miscounted. */
import { request as httpRequest } from 'node:http'
import { expect, test } from 'vitest'
import { randomFrom } from '../../src/stats/random.ts'
import { until } from '../support/waits.ts'
import { gatewayBefore, upstream } from './support/harness.ts'
import { answerJson } from './support/upstream.ts'

test('after 600 requests with every kind of ending, nothing is in flight and the pool’s counts add up', async () => {
  const random = randomFrom('chaos')
  let answering = 0
  const provider = await upstream((request, response) => {
    answering++
    response.once('close', () => answering--)
    request.resume().on('end', () => {
      const fate = random()
      if (fate < 0.1) request.socket.resetAndDestroy()
      else if (fate < 0.2) response.setHeader('connection', 'close').end('{}')
      else if (fate < 0.3) response.writeHead(200).write('half', () => response.socket?.destroy())
      else if (fate < 0.5)
        response.writeHead(200).write('data: 1\n\n', () => setTimeout(() => response.end('data: 2\n\n'), 3))
      else setTimeout(() => answerJson(response, {}), random() * 3)
    })
  })
  const gateway = await gatewayBefore(provider.url, {
    connection_pool: { max_total: 6, max_idle_per_host: 3, max_lifetime: '100ms', idle_timeout: '30ms' },
  })
  const endings = new Map<string, number>()
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      const end = (how: string): void => {
        endings.set(how, (endings.get(how) ?? 0) + 1)
        resolve()
      }
      const request = httpRequest(`${gateway.url}/v1/responses`, { method: 'POST', agent: false }, (message) => {
        message.resume().on('error', () => end('broken'))
        message.on('end', () => end(String(message.statusCode)))
      })
      request.on('error', () => end('left'))
      request.end('{"model":"m"}')
      if (random() < 0.15) setTimeout(() => request.destroy(), random() * 5)
    })
  const worker = async () => {
    for (let i = 0; i < 30; i++) await one()
  }
  await Promise.all(Array.from({ length: 20 }, worker))
  expect([...endings.keys()].sort()).toEqual(['200', '502', 'broken', 'left'])
  await until(() => gateway.poolStats().open === 0 && provider.open === 0 && answering === 0)
  const { opened, recycled, ...now } = gateway.poolStats()
  expect(now).toMatchObject({ open: 0, idle: 0, busy: 0, waiting: 0 })
  // Connections that were cancelled before they were open count as closed only.
  expect(Object.values(recycled).reduce((a, b) => a + b)).toBeGreaterThanOrEqual(opened)
})
