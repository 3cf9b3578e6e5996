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
  return svg.replaceAll(FOR_POINTERS, '')
}
