/**
 * Draws plots with ECharts, of which only what they need is loaded. The build puts the library into this file
 * (test/setup/bundle.js), so that the package needs none at run time.
 */
import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts'
import { GridComponent, LegendPlainComponent, MarkLineComponent, TooltipComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { layoutOf, optionOf } from './option.ts'
import type { Plot } from './plot.ts'

use([
  BarChart,
  CustomChart,
  LineChart,
  ScatterChart,
  GridComponent,
  LegendPlainComponent,
  MarkLineComponent,
  TooltipComponent,
  SVGRenderer,
])

/** What ECharts writes for pointers, whose rules a still drawing has no use for: a third of all. */
const FOR_POINTERS = new RegExp(
  [
    / (?:pointer-events="visible"|class="zr\d+-cls-\d+"|xml:space="preserve"|ecmeta_\w+="\w*")/,
    /<style ><!\[CDATA\[.*?<\/style>\n?/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gs',
)

/** The plot as SVG. */
export function drawSvg(plot: Plot, width: number): string {
  const layout = layoutOf(plot, width)
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height: layout.height })
  chart.setOption(optionOf(plot, layout))
  const svg = chart.renderToSVGString()
  chart.dispose()
  return withOneFont(withOnePath(svg.replaceAll(FOR_POINTERS, '')))
}

const SEGMENT = /^<path d="(M[-\d. ]+L[-\d. ]+)"([^>]*)><\/path>$/

/** Straight strokes one after another that look the same, such as whiskers, become one path. */
function withOnePath(svg: string): string {
  const lines: string[] = []
  let strokes: string[] = []
  let look: string | undefined
  const end = (): void => {
    if (look !== undefined) lines.push(`<path d="${strokes.join('')}"${look}></path>`)
    strokes = []
    look = undefined
  }
  for (const line of svg.split('\n')) {
    const [, stroke, its] = SEGMENT.exec(line) ?? []
    if (its !== look) end()
    if (stroke === undefined || its === undefined) lines.push(line)
    else {
      look = its
      strokes.push(stroke)
    }
  }
  end()
  return lines.join('\n')
}

const FONT = /font-family:[^;"]*;/g

/** The font of all texts is that of the drawing, where all have one. */
function withOneFont(svg: string): string {
  const [font, ...others] = new Set(svg.match(FONT) ?? [])
  if (font === undefined || others.length > 0) return svg
  return svg.replaceAll(font, '').replace('<svg ', `<svg style="${font}" `)
}
