// Plots as pictures: real PNGs of the plots of a recorded run, in the colours of light, with words. A machine without
// fonts is refused.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { Resvg } from '@resvg/resvg-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { plotsOf } from '../../src/page/document.ts'
import { readDocument } from '../../src/page/read.ts'
import { writePlots } from '../../src/page/write.ts'
import { drawSvg } from '../../src/plots/engine.ts'
import { pngMaker } from '../../src/plots/png.ts'
import { laterRefusalOf } from '../support/refusal.ts'
import { tempDir } from '../support/temp-dir.ts'

const SIGNATURE = '89504e470d0a1a0a'
const dir = tempDir()
const document = readDocument('fixtures/reports/paired.json')
const plots = plotsOf(document)
let paths: string[] = []

beforeAll(async () => {
  paths = await writePlots('png', dir.file('plots'), [document])
})
afterAll(() => dir.remove())

/** Its size as its head says, and how often each colour stands in it. */
function look(path: string): { width: number; height: number; colors: Map<string, number> } {
  const png = readFileSync(path)
  expect(png.subarray(0, 8).toString('hex')).toBe(SIGNATURE)
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)]
  const image = `<image width="${width}" height="${height}" href="data:image/png;base64,${png.toString('base64')}"/>`
  const size = `width="${width}" height="${height}"`
  const { pixels } = new Resvg(`<svg xmlns="http://www.w3.org/2000/svg" ${size}>${image}</svg>`).render()
  const colors = new Map<string, number>()
  for (let at = 0; at < pixels.length; at += 4) {
    const color = pixels.toString('hex', at, at + 4)
    colors.set(color, (colors.get(color) ?? 0) + 1)
  }
  return { width, height, colors }
}

test('every plot is a picture by its name, of twice the size of its drawing', () => {
  expect(paths.map((path) => basename(path))).toEqual(plots.map(({ id }) => `${id}.png`))
  for (const [index, plot] of plots.entries()) {
    const height = Number(/height="(\d+)"/.exec(drawSvg(plot, 900))?.[1])
    expect(look(paths[index] ?? '')).toMatchObject({ width: 1_800, height: 2 * height })
  }
})

test('it has the colours of light: paper, the lines of both arms, and no black of what was not understood', () => {
  const { width, height, colors } = look(paths[plots.findIndex(({ id }) => id === 'latency-cdf')] ?? '')
  expect(colors.get('ffffffff')).toBeGreaterThan((width * height) / 2)
  for (const line of ['0a58caff', 'b4540aff']) expect(colors.get(line) ?? 0, line).toBeGreaterThan(500)
  expect(colors.get('000000ff') ?? 0).toBe(0)
})

test('it has words', async () => {
  const [plot] = plots
  if (!plot) throw new Error('the recorded run has plots')
  const svg = drawSvg(plot, 900)
  const toPng = await pngMaker()
  const wordless = toPng(svg.replaceAll(/<text[\s\S]*?<\/text>/g, ''))
  expect(toPng(svg).length).toBeGreaterThan(wordless.length + 1_000)
})

test('without a font it is refused, with what helps', async () => {
  const refusal = await laterRefusalOf(() => pngMaker(false))
  expect(refusal.message).toContain('--png finds no font on this machine')
  expect(refusal.next).toContain('--svg')
})
