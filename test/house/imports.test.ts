// The arrows of the house point one way: pure rooms reach only what is pure, nothing runs in a circle, and the reference
// gateway stands on its own.
import { expect, test } from 'vitest'
import { findCycle, importGraph, importsOf, reachableFrom, sourceWithoutTypes } from '../support/imports.ts'

const PURE = /^src\/(?:(?:stats|schedule|plan|render|slo)\/|units\.ts$)/
/** What a pure room may take from outside: data structures and text, nothing that reaches the machine or the network. */
const PURE_PACKAGES = new Set(['hdr-histogram-js', 'cli-table3', 'chalk'])

const IMPURE_GLOBALS =
  /\b(?:process|performance)\.|\b(?:setTimeout|setInterval|setImmediate|fetch)\(|\bnew Date\b|\bDate\.now\b/

function impureLines(source: string): string[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
  return code.split('\n').filter((line) => IMPURE_GLOBALS.test(line))
}

const graph = importGraph('src', 'reference-gateway')

test('the graph sees the house: there are pure rooms and there are arrows', () => {
  const pure = [...graph.keys()].filter((file) => PURE.test(file))
  expect(pure.length).toBeGreaterThan(5)
  expect(graph.get('src/plan/plan.ts')?.files).toContain('src/plan/formula.ts')
  expect(graph.get('src/commands/plan/index.ts')?.lazy).toContain('src/input/plan-report.ts')
  expect(graph.get('src/plan/plan.ts')?.files, 'a type-only import is no arrow').not.toContain(
    'src/report/plan-schema.ts',
  )
})

test('whatever a pure room reaches is pure: no node:, no undici, no clock, no environment', () => {
  const rooms = [...graph.keys()].filter((file) => PURE.test(file))
  const impure = [...reachableFrom(graph, rooms)].flatMap((file) => [
    ...(graph.get(file)?.packages ?? [])
      .filter((name) => !PURE_PACKAGES.has(name))
      .map((name) => `${file} imports ${name}`),
    ...impureLines(sourceWithoutTypes(file)).map((line) => `${file}: ${line}`),
  ])
  expect(impure).toEqual([])
})

test('imports do not run in circles', () => {
  expect(findCycle(graph)).toBeUndefined()
})

test('the reference gateway takes nothing from src but units', () => {
  const taken = [...graph].flatMap(([file, { files }]) =>
    file.startsWith('reference-gateway/')
      ? files.filter((target) => target.startsWith('src/') && target !== 'src/units.ts').map((to) => `${file} -> ${to}`)
      : [],
  )
  expect(taken).toEqual([])
})

test('every import leads to a file that is there', () => {
  const lost = [...graph].flatMap(([file, { files }]) =>
    files.filter((to) => !graph.has(to)).map((to) => `${file} -> ${to}`),
  )
  expect(lost).toEqual([])
})

test('what the checks rest on can fail', () => {
  const source =
    "import fs from 'node:fs'\nexport {\n  a,\n} from './b.ts'\nconst c = await import('../c.ts')\nimport './d.ts'"
  expect(importsOf('src/plan/a.ts', source)).toEqual({
    files: ['src/plan/b.ts', 'src/plan/d.ts', 'src/c.ts'],
    packages: ['node:fs'],
    lazy: ['src/c.ts'],
  })
  expect(impureLines('// process.env\nconst a = process.env.A\nconst b = new Date()')).toHaveLength(2)
  const circle = new Map([
    ['a', { files: ['b'] }],
    ['b', { files: ['c'] }],
    ['c', { files: ['b'] }],
  ])
  expect(findCycle(circle)).toEqual(['b', 'c', 'b'])
  expect([...reachableFrom(circle, ['b'])]).toEqual(['b', 'c'])
})
