// The house stands on floors: an import goes down, never up or sideways in a circle, by value or by type. Pure rooms
// reach only what is pure, and the reference gateway stands on the ground floors alone. ARCHITECTURE.md draws the same
// floors.
import { expect, test } from 'vitest'
import { findCycle, importGraph, importsOf, reachableFrom, sourceWithoutTypes } from '../support/imports.ts'
import { FLOORS, GATEWAY_FLOORS } from './floors.ts'

const GATEWAY_TAKES = new Set(['units', 'errors', 'parse', 'wire', 'http1', 'system', 'stats'])
const TAKES_GATEWAY = /^src\/(?:gateway-cli|doctor|commands\/gateway)\//

const PURE = /^src\/(?:(?:stats|schedule|plan|slo)\/|(?:units|errors)\.ts$)/

const IMPURE_GLOBALS =
  /\b(?:process|performance)\.|\b(?:setTimeout|setInterval|setImmediate|fetch)\(|\bnew Date\b|\bDate\.now\b/

const graph = importGraph('src', 'reference-gateway')
const byValue = new Map([...graph].map(([file, { files }]) => [file, files]))
const byAny = new Map([...graph].map(([file, { files, types }]) => [file, [...files, ...types]]))

function roomOf(file: string): string {
  const [top = '', room = ''] = file.split('/')
  if (top === 'reference-gateway') return top
  if (room === 'hooks' || room === 'command.ts') return 'commands'
  return room.replace(/\.ts$/, '')
}

/** The folder of a gateway file. */
function folderOf(file: string): string {
  const parts = file.split('/').slice(1, -1)
  return parts.join('/') || 'gateway'
}

/** Imports between two places that do not go to a lower floor. */
function importsUp(
  arrows: ReadonlyMap<string, readonly string[]>,
  place: (file: string) => string,
  floors: string[][],
) {
  const floorOf = (file: string): number => floors.findIndex((places) => places.includes(place(file)))
  return [...arrows].flatMap(([file, targets]) =>
    targets
      .filter((target) => graph.has(target) && place(target) !== place(file) && floorOf(target) >= floorOf(file))
      .map((target) => `${file} -> ${target}`),
  )
}

/** The same arrows between places instead of files. */
function between(arrows: ReadonlyMap<string, readonly string[]>, place: (file: string) => string) {
  const places = new Map<string, string[]>()
  for (const [file, targets] of arrows) {
    const from = place(file)
    const known = places.get(from) ?? []
    places.set(from, [
      ...known,
      ...targets
        .filter((target) => graph.has(target))
        .map(place)
        .filter((to) => to !== from),
    ])
  }
  return places
}

const inGateway = new Map(
  [...byAny]
    .filter(([file]) => roomOf(file) === 'reference-gateway')
    .map(([file, targets]) => [file, targets.filter((target) => roomOf(target) === 'reference-gateway')]),
)

function impureLines(source: string): string[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
  return code.split('\n').filter((line) => IMPURE_GLOBALS.test(line))
}

test('the graph sees the house: every file has a floor, and there are arrows of both kinds', () => {
  const rooms = new Set(FLOORS.flat())
  expect([...graph.keys()].filter((file) => !rooms.has(roomOf(file)))).toEqual([])
  const folders = new Set(GATEWAY_FLOORS.flat())
  expect([...inGateway.keys()].filter((file) => !folders.has(folderOf(file)))).toEqual([])
  expect(graph.get('src/plan/plan.ts')?.files).toContain('src/plan/cpu.ts')
  expect(graph.get('src/plan/plan.ts')?.types).toContain('src/report/plan-schema.ts')
})

test('an import goes down, by value and by type', () => {
  expect(importsUp(byAny, roomOf, FLOORS)).toEqual([])
})

test("so it does between the gateway's folders", () => {
  expect(importsUp(inGateway, folderOf, GATEWAY_FLOORS)).toEqual([])
})

test('imports do not run in circles, between files, rooms and folders', () => {
  expect(findCycle(byAny)).toBeUndefined()
  expect(findCycle(between(byAny, roomOf))).toBeUndefined()
  expect(findCycle(between(inGateway, folderOf))).toBeUndefined()
})

test('a command whose function the library has calls that one', () => {
  const calls = {
    bench: ['src/commands/bench/index.ts'],
    compare: ['src/commands/bench/compare.ts'],
    plan: ['src/commands/plan/index.ts'],
  }
  for (const [name, commands] of Object.entries(calls))
    for (const command of commands) expect(graph.get(command)?.files, command).toContain(`src/api/${name}.ts`)
  const past = ['src/bench/bench.ts', 'src/bench/prepare.ts']
  const around = [...graph].filter(([file]) => file.startsWith('src/commands/'))
  expect(
    around.flatMap(([file, { files }]) => files.filter((to) => past.includes(to)).map((to) => `${file} -> ${to}`)),
  ).toEqual([])
})

test('the reference gateway takes the ground floors alone, and three rooms know it', () => {
  const taken = [...byAny].flatMap(([file, targets]) =>
    targets
      .filter((target) => graph.has(target))
      .filter((target) =>
        roomOf(file) === 'reference-gateway'
          ? !(roomOf(target) === 'reference-gateway' || GATEWAY_TAKES.has(roomOf(target)))
          : roomOf(target) === 'reference-gateway' && !TAKES_GATEWAY.test(file),
      )
      .map((target) => `${file} -> ${target}`),
  )
  expect(taken).toEqual([])
})

test('whatever a pure room reaches is pure: no node:, no undici, no clock, no environment', () => {
  const rooms = [...graph.keys()].filter((file) => PURE.test(file))
  expect(rooms.length).toBeGreaterThan(5)
  const impure = [...reachableFrom(byValue, rooms)].flatMap((file) => [
    ...(graph.get(file)?.packages ?? []).map((name) => `${file} imports ${name}`),
    ...impureLines(sourceWithoutTypes(file)).map((line) => `${file}: ${line}`),
  ])
  expect(impure).toEqual([])
})

test('every import leads to a file that is there', () => {
  const lost = [...byAny].flatMap(([file, targets]) =>
    targets.filter((to) => to.endsWith('.ts') && !graph.has(to)).map((to) => `${file} -> ${to}`),
  )
  expect(lost).toEqual([])
})

test('what the checks rest on can fail', () => {
  const source = [
    "import fs from 'node:fs'",
    "import type { T } from './t.ts'",
    "import { type U, u } from './u.ts'",
    "export {\n  a,\n} from './b.ts'",
    "const c = await import('../c.ts')",
    "type V = import('./v.ts').V",
    "import './d.ts'",
  ].join('\n')
  expect(importsOf('src/plan/a.ts', source)).toEqual({
    files: ['src/plan/u.ts', 'src/plan/b.ts', 'src/plan/d.ts', 'src/c.ts'],
    types: ['src/plan/t.ts', 'src/plan/v.ts'],
    packages: ['node:fs'],
    lazy: ['src/c.ts'],
  })
  const upward = new Map([['src/units.ts', ['src/plan/plan.ts']]])
  expect(importsUp(upward, roomOf, FLOORS)).toEqual(['src/units.ts -> src/plan/plan.ts'])
  expect(impureLines('// process.env\nconst a = process.env.A\nconst b = new Date()')).toHaveLength(2)
  const circle = new Map([
    ['a', ['b']],
    ['b', ['c']],
    ['c', ['b']],
  ])
  expect(findCycle(circle)).toEqual(['b', 'c', 'b'])
  expect([...reachableFrom(circle, ['b'])]).toEqual(['b', 'c'])
})
