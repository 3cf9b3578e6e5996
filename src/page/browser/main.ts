/**
 * What runs in a page: each plot is drawn anew, for the width that it has and with what is under the pointer. The
 * drawing that came with the page stays for paper. Bundled with ECharts into one file by the build, which kt itself
 * loads too, for the drawing.
 */
import { init } from 'echarts/core'
import { layoutOf, optionOf } from '../../plots/option.ts'
import type { Plot } from '../../plots/plot.ts'

export { drawSvg } from '../../plots/engine.ts'

const LEAST_WIDTH = 200

type Drawn = Omit<Plot, 'table'>

function mount(figure: Element, plot: Drawn): void {
  const place = figure.querySelector('.plot')
  if (!place) return
  const live = document.createElement('div')
  live.className = 'live'
  place.append(live)
  place.classList.add('drawn')
  const chart = init(live, null, { renderer: 'svg', width: LEAST_WIDTH, height: LEAST_WIDTH })
  const draw = (): void => {
    const width = Math.max(LEAST_WIDTH, Math.floor(place.clientWidth))
    const layout = layoutOf(plot, width)
    live.style.height = `${layout.height}px`
    chart.resize({ width, height: layout.height })
    chart.setOption(optionOf(plot, layout), true)
  }
  let drawn = 0
  new ResizeObserver(() => {
    if (Math.floor(place.clientWidth) === drawn || place.clientWidth === 0) return
    drawn = Math.floor(place.clientWidth)
    draw()
  }).observe(place)
}

function mountAll(): void {
  const data = document.getElementById('kt-plots')?.textContent
  if (!data) return
  const plots = new Map((JSON.parse(data) as Drawn[]).map((plot) => [plot.id, plot]))
  for (const figure of document.querySelectorAll('[data-plot]')) {
    const plot = plots.get(figure.id)
    if (plot) mount(figure, plot)
  }
}

if ('document' in globalThis) mountAll()
