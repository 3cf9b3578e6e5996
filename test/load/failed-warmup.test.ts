// A warm-up that fails whole ends the run with its failures as the result; one that fails in part does not.
import { afterEach, describe, expect, it } from 'vitest'
import { createNeverSentResult } from '../../src/client/request-result.ts'
import { FailedWarmup } from '../../src/load/failed-warmup.ts'
import { httpServer, OK_BODY, type TestServer } from '../support/engine.ts'
import { parseBench } from '../support/kt.ts'
import { run } from '../support/run-command.ts'

const failed = () => createNeverSentResult(1)
const answered = () => ({ ...failed(), outcome: 'OK' as const })

describe('what a warm-up came to', () => {
  const of = (doubtful: boolean, ...results: ReturnType<typeof failed>[]) => {
    const warmup = new FailedWarmup(doubtful)
    for (const result of results) warmup.ended(result)
    return warmup
  }

  it('is hopeless where five requests failed and none was answered; once', () => {
    const five = of(false, ...Array.from({ length: 5 }, failed))
    expect(five.take()).toHaveLength(5)
    expect(five.take()).toHaveLength(0)
    expect(of(false, ...Array.from({ length: 4 }, failed)).take()).toHaveLength(0)
    expect(of(false, ...Array.from({ length: 9 }, failed), answered()).take()).toHaveLength(0)
  })

  it('is hopeless after one where the validating request failed too', () => {
    expect(of(true, failed()).take()).toHaveLength(1)
    expect(of(true).take()).toHaveLength(0)
  })

  it('is hopeless after a thousand, however long it would go on', () => {
    const many = of(false, ...Array.from({ length: 1_200 }, failed))
    expect(many.hopeless).toBe(true)
    expect(many.take()).toHaveLength(1_000)
  })
})

describe('kt bench', () => {
  let server: TestServer | undefined
  let asked = 0
  afterEach(() => server?.close())

  /** Fails until so many requests have come. */
  const serve = async (failures: number): Promise<string> => {
    asked = 0
    await server?.close()
    server = await httpServer((request, response) => {
      request.resume().on('end', () => response.writeHead(asked++ < failures ? 500 : 200).end(OK_BODY))
    })
    return server.origin
  }
  const bench = (url: string, ...more: string[]) => run(['bench', '--url', url, '--requests', '200', ...more])

  it('sends no more than the warm-up to a target that fails all of it, and says so', async () => {
    const { code, stdout } = await bench(await serve(Number.POSITIVE_INFINITY), '--threshold', 'errors.rate<1%')
    expect(asked).toBe(11)
    expect(code).toBe(3)
    expect(stdout).toMatch(/^FAIL {2}Every request failed: 10 x KT_HTTP_5XX/)
    expect(stdout).toContain('Stopped after the warm-up')
    const { totals } = parseBench((await bench(await serve(Number.POSITIVE_INFINITY), '--json')).stdout)
    expect(totals).toMatchObject({ sent: 10, failed: 10, outcomes: { KT_HTTP_5XX: 10 }, warmup: { sent: 0 } })
  })

  it('goes on where one request of the warm-up was answered', async () => {
    const { code, stdout } = await bench(await serve(8), '--json')
    expect(code).toBe(0)
    expect(parseBench(stdout).totals).toMatchObject({ sent: 200, failed: 0, warmup: { failed: 7 } })
  })
})
