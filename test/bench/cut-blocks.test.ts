// Answers that take longer than a block: the run is cut anew, so that what is sent counts.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { bench } from '../../src/api/index.ts'
import { cutIntoBlocks, noteTooFewBlocks } from '../../src/bench/cut-blocks.ts'
import { benchAnswer } from '../../src/output/bench-answer.ts'
import { runsOf } from '../../src/report/runs.ts'
import { meanAboveZeroP } from '../../src/stats/means.ts'
import { fewestBlocksToRank } from '../../src/verdict/rank.ts'
import { httpServer, OK_BODY, planFor, type TestServer } from '../support/engine.ts'

const servers: TestServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

const ANSWER_MS = 120

async function slowServer(): Promise<TestServer> {
  const server = await httpServer(async (request, response) => {
    request.resume()
    await sleep(ANSWER_MS)
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(OK_BODY)
  })
  servers.push(server)
  return server
}

async function measured(options: Parameters<typeof bench>[0]) {
  const notes: string[] = []
  const [gateway, direct] = [await slowServer(), await slowServer()]
  const { report } = await bench(
    { url: gateway.origin, baselineUrl: direct.origin, warmup: 1, jitWarmup: false, floor: false, ...options },
    { note: (line) => void notes.push(line) },
  )
  const [arm, baseline] = report.arms
  const answer = benchAnswer(runsOf(report)[0], null, null, false).text
  return { notes: notes.join('\n'), arm, baseline, answer }
}

describe('blocks shorter than an answer', () => {
  it('become fewer in a closed loop of a given time, and every request counts', async () => {
    const { notes, arm, baseline } = await measured({ concurrency: 4, duration: '1s', compareAnswers: false })
    expect(notes).toMatch(/An answer takes about .*: \d blocks on each arm, and the first requests/)
    for (const each of [arm, baseline]) {
      expect(each?.totals.successful).toBeGreaterThanOrEqual(4)
      expect(each?.totals.idleFirst).toBeUndefined()
    }
  })

  it('become fewer in an open loop too, where the first answer comes after the block', async () => {
    const { notes, arm } = await measured({ rps: 20, duration: '1s', compareAnswers: false })
    expect(notes).toContain('An answer takes about')
    expect(arm.totals.successful).toBeGreaterThan(5)
  })
})

it('where no answer told how long they take, that none of the requests counts is said', async () => {
  const { arm, answer } = await measured({ concurrency: 4, duration: '1s', validate: false, compareAnswers: false })
  expect(arm.totals).toMatchObject({ sent: 0, idleFirst: { sent: 80, failed: 0 } })
  expect(answer).toMatch(/^Every request was the first of its connection in a block/)
})

describe('cutIntoBlocks', () => {
  it('leaves twenty blocks where they hold enough', () => {
    expect(cutIntoBlocks(1_000, 20, 10)).toEqual({ blocks: 20, excludeIdleFirst: true })
  })

  it('counts the first requests where they are most of them', () => {
    expect(cutIntoBlocks(50, 20, 8)).toEqual({ blocks: 10, excludeIdleFirst: false })
  })
})

it('of several gateways it is said beforehand that so few blocks prove nothing, and how many requests it takes', () => {
  const base = planFor('http://127.0.0.1:1')
  const arms = [...base.arms, ...base.arms, ...base.arms, ...base.arms]
  const noted = (requests: number, count = arms.length, baseline: number | undefined = count - 1) => {
    const notes: string[] = []
    const load = { mode: 'closed', concurrency: 10 } as const
    const cut = cutIntoBlocks(requests, 20, 10)
    noteTooFewBlocks({ ...base, ...cut, arms: arms.slice(0, count), baseline, load, requests }, (line) =>
      notes.push(line),
    )
    return notes
  }
  const words = 'can prove no difference between 3 gateways: it takes 11 blocks, 440 requests.'
  expect(noted(200)).toEqual([`200 requests on each arm are 10 blocks, which ${words}`])
  expect([noted(440), noted(200, 2)]).toEqual([[], []])
  // As sure as blocks can be: each is worse than its other.
  const surest = (blocks: number) => 2 * meanAboveZeroP(Array.from({ length: blocks }, () => 1))
  for (const gateways of [3, 4, 8]) {
    const fewest = fewestBlocksToRank(gateways)
    const each = 0.01 / (gateways * (gateways - 1))
    expect([surest(fewest - 1) <= each, surest(fewest) <= each]).toEqual([false, true])
  }
})
