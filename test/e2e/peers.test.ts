// The tables that hold kt against its peers and against the wire, in their shortest form, with the peers that are here
// or take seconds to fetch: what ran answered everything, and kept its rate or is said not to have; what did not run
// says why. How long anything took is no matter here.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { findPeer } from '../setup/peers/find.ts'

const run = promisify(execFile)
const script = fileURLToPath(new URL('../bench/instrument.js', import.meta.url))
const QUICK = { env: { ...process.env, KT_TEST_OFFLINE: '1' }, maxBuffer: 2 ** 24 }

const FETCHES_WITHIN_MS = 600_000

let printed = ''
beforeAll(async () => {
  for (const name of ['nginx', 'wrk', 'tcpdump', 'vegeta'] as const) await findPeer(name)
  const { stdout } = await run(process.execPath, [script, 'peers', 'ttft', 'requests', 'wire', '--quick'], QUICK)
  printed = stdout
}, FETCHES_WITHIN_MS)

/** The rows of the table under this heading, by the name of the tool. */
function rowsUnder(heading: RegExp): Map<string, string> {
  const [, after = ''] = printed.split(heading)
  const lines = after.split(/\n\n/)[0]?.split('\n').slice(1) ?? []
  return new Map(
    lines.flatMap((line) => {
      const [, name, said] = /^ {2}(\w+)(?: [\d.]+ +|: )(.+)$/.exec(line) ?? []
      return name && said ? [[name, said.trim()]] : []
    }),
  )
}

const NOT_RUN = /^not run: \S.*$/
const FIGURES = String.raw`-?[\d.]+ \(-?[\d.]+ to -?[\d.]+\)`

describe('every tool has a row', () => {
  test('of latency, with what became of its rate', () => {
    const rows = rowsUnder(/latency above the provider/)
    expect([...rows.keys()].sort()).toEqual(['k6', 'kt', 'oha', 'vegeta', 'wrk'])
    const ran = new RegExp(
      `^(?:${FIGURES} +){3}(?:all answered|\\d+ failed), (?:rate kept|rate not kept: [\\d.]+ of 200/s)$`,
    )
    for (const said of rows.values()) expect(said).toMatch(NOT_RUN.test(said) ? NOT_RUN : ran)
    expect(rows.get('kt')).toMatch(/all answered/)
    expect(rows.get('wrk')).toBe('not run: it has no open loop')
  })

  test('of TTFT', () => {
    const rows = rowsUnder(/TTFT above the provider/)
    expect([...rows.keys()].sort()).toEqual(['k6', 'kt', 'oha', 'vegeta', 'wrk'])
    expect(rows.get('kt')).toMatch(new RegExp(`^(?:${FIGURES} +){3}all answered$`))
  })

  test('of requests a second', ({ skip }) => {
    const [, first = ''] = /requests\/s of one sending thread.*\n +(.*)/.exec(printed) ?? []
    if (NOT_RUN.test(first)) skip(first)
    const rows = rowsUnder(/requests\/s of one sending thread/)
    expect([...rows.keys()].sort()).toEqual(expect.arrayContaining(['autocannon', 'kt', 'oha', 'wrk']))
    for (const name of ['kt', 'autocannon']) expect(rows.get(name)).toMatch(/ all answered$/)
  })
})

test('kt’s requests are found on the wire', ({ skip }) => {
  const [, after = ''] = printed.split(/kt’s times less the kernel’s.*\n/)
  const [said = ''] = after.split('\n')
  if (/^ {2}(?:[\w ]+: )?not run: \S/.test(said)) skip(said)
  const [, found, answered] = /^ {2}nothing beside it: (\d+) of (\d+) requests found on the wire$/.exec(said) ?? []
  expect(Number(found)).toBeGreaterThan(0.9 * Number(answered))
  expect(after).toMatch(/^ {4}TTFT: P50 -?[\d.]+ .* P99 of its size /m)
})
