// Gateways' headers on real sockets, through the client and the recorder into the report's overhead section.
import { afterEach, describe, expect, it } from 'vitest'
import { buildOverhead, buildSignals } from '../../src/bench/build-overhead.ts'
import { explainDisagreement } from '../../src/overhead/disagreement.ts'
import { httpServer, OK_BODY, planFor, run, type TestServer } from '../support/engine.ts'

let server: TestServer | undefined
afterEach(() => server?.close())

const WAIT_MS = 5
const budgets = { totalMs: 7, components: {} }

async function through(headers: (index: number) => Record<string, string>) {
  let index = 0
  server = await httpServer((request, response) => {
    const own = headers(index++)
    request.resume().on('end', () => setTimeout(() => response.writeHead(200, own).end(OK_BODY), WAIT_MS))
  })
  const { arm } = await run(planFor(server.origin, { requests: 20, blocks: 2 }))
  return { arm, overhead: buildOverhead(arm, budgets), signals: buildSignals(arm) }
}

describe('a run through a gateway that speaks', () => {
  it('has an entry for each definition, and says why they differ', async () => {
    const { arm, overhead, signals } = await through(() => ({
      'X-Kong-Proxy-Latency': '0',
      'X-Kong-Upstream-Latency': '3',
    }))
    expect(overhead.map(({ definition, source, count }) => [definition, source, count])).toEqual([
      ['self-reported', 'Kong, X-Kong-Proxy-Latency', 20],
      ['upstream-reported', 'Kong, client time less X-Kong-Upstream-Latency', 20],
    ])
    expect(signals).toEqual({ gateway: 'Kong', caveat: '', rejected: {} })
    expect(overhead[1]?.totalMs.p50).toBeGreaterThan(1)
    expect(arm.blocks.map((block) => Object.keys(block.selfReported))).toEqual(
      Array.from({ length: 2 }, () => ['self-reported', 'upstream-reported']),
    )
    expect(explainDisagreement(overhead)).toHaveLength(1)
  })

  it('counts excluded figures by rule', async () => {
    const { overhead, signals } = await through((index) => ({
      'x-litellm-overhead-duration-ms': index % 4 === 0 ? '4.5' : '1.5',
      'x-litellm-response-duration-ms': '4.5',
    }))
    expect(overhead).toMatchObject([{ definition: 'self-reported', count: 15, rejected: 5 }])
    expect(Object.values(signals?.rejected ?? {})).toEqual([5])
  })

  it.each<[string, Record<string, string>, [string, string][], string]>([
    [
      'LiteLLM with detailed timing',
      { 'x-litellm-overhead-duration-ms': '0.8', 'x-litellm-timing-llm-api-ms': '3.5' },
      [
        ['self-reported', 'LiteLLM, x-litellm-overhead-duration-ms'],
        ['upstream-reported', 'LiteLLM, client time less x-litellm-timing-llm-api-ms'],
      ],
      'LiteLLM',
    ],
    [
      'Bifrost',
      { 'x-bifrost-upstream-latency-ms': '4.125', 'x-bifrost-request-id': 'a' },
      [['upstream-reported', 'Bifrost, client time less x-bifrost-upstream-latency-ms']],
      'Bifrost',
    ],
    [
      'Envoy AI Gateway',
      { server: 'envoy', 'x-envoy-upstream-service-time': '4' },
      [['upstream-reported', 'Envoy family, client time less x-envoy-upstream-service-time']],
      'Envoy family',
    ],
    [
      'a generic Server-Timing',
      { 'server-timing': 'upstream;dur=4.2, gateway;dur=0.3' },
      [
        ['self-reported', 'server-timing: gateway'],
        ['upstream-reported', 'client time less server-timing: upstream'],
      ],
      '',
    ],
    [
      'Portkey in front of OpenAI',
      { 'x-portkey-trace-id': 'a', 'openai-processing-ms': '4' },
      [['provider-reported', 'Portkey, client time less openai-processing-ms']],
      'Portkey',
    ],
  ])('reads %s off a socket, with what each figure leaves out', async (_, headers, entries, gateway) => {
    const { arm, overhead } = await through(() => headers)
    expect(overhead.map(({ definition, source }) => [definition, source])).toEqual(entries)
    expect(arm.selfReport.gateway).toBe(gateway)
    for (const { note, count, totalMs } of overhead) {
      expect(note).not.toBe('')
      expect(count).toBe(20)
      expect(totalMs.p50).toBeGreaterThan(0)
    }
    expect(explainDisagreement(overhead)).toHaveLength(entries.length === 2 ? 1 : 0)
  })

  it('names a silent gateway without an entry', async () => {
    const { overhead, signals } = await through(() => ({ 'x-portkey-trace-id': 'a' }))
    expect(overhead).toEqual([])
    expect(signals).toMatchObject({ gateway: 'Portkey', caveat: expect.stringContaining('no timing header') })
  })
})

describe('two definitions', () => {
  const entry = (
    definition: 'provider-stamped' | 'self-reported' | 'upstream-reported',
    p50: number,
    p99 = 2 * p50,
  ) => ({
    definition,
    note: 'what it excludes',
    totalMs: { p50, p99 },
  })

  it.each([
    [
      [entry('provider-stamped', 1.5), entry('self-reported', 0.5)],
      /1\.00 ms more at P50, 2\.00 at P99.*does not see of itself \(what it excludes\)/,
    ],
    [
      [entry('provider-stamped', 0.5), entry('self-reported', 1.5)],
      /self-reported reads 1\.00 ms more.*trust the stamps/,
    ],
    [[entry('provider-stamped', 1.5), entry('upstream-reported', 0.5)], /the wait that the gateway reports includes/],
    [[entry('upstream-reported', 1.5), entry('self-reported', 0.5)], /the network to the gateway, and kt/],
    [[entry('provider-stamped', 1), entry('self-reported', 1.01, 2.01)], /agree within 0.05 ms/],
  ])('are explained (%#)', (entries, words) => {
    expect(explainDisagreement(entries).join()).toMatch(words)
  })

  const FOUND = { count: 1, p50: 1, p99: 1, budgetMs: null, verdict: null }
  it('a gateway that tells its work in the gaps apart is believed, and not told to trust the stamps', () => {
    const own = { ...entry('self-reported', 1.5), components: { overlapped_work: FOUND } }
    const said = explainDisagreement([entry('provider-stamped', 0.5), own]).join()
    expect(said).toMatch(/self-reported reads 1\.00 ms more .* while the provider was still sending others/)
    expect(said).not.toMatch(/trust the stamps|counts the provider's time/)
  })

  it('one alone needs no explanation', () => expect(explainDisagreement([entry('provider-stamped', 1)])).toEqual([]))
})
