/**
 * Documents as one self-contained page: it asks the network for nothing, and its own policy forbids it to. Each plot
 * is drawn in the page already if there is room, so that it is there without scripts; the script draws it anew for the
 * width of the window.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { drawSvg } from '../plots/engine.ts'
import type { Cell, Plot, PlotTable } from '../plots/plot.ts'
import { type Document, plotsOf, printableDocument, type Section, type Sentence } from './document.ts'
import { type Drawings, fitPage } from './fit.ts'
import { html, Markup, scriptJson } from './html.ts'
import { STYLE } from './style.ts'

const STILL_WIDTH = 860

/** The program of a page: ECharts and what drives it, which the build puts into one file. */
function readProgram(): string {
  return readFileSync(new URL('../plots/engine.js', import.meta.url), 'utf8')
}

export function renderPage(given: readonly Document[], program = readProgram()): string {
  const documents = withOwnIds(given.map(printableDocument))
  return fitPage(documents, {
    render: (fitting, drawings) => renderWhole(fitting, program, drawings),
    draw: (plot) => drawSvg(plot, STILL_WIDTH),
  })
}

function renderWhole(documents: readonly Document[], program: string, drawings?: Drawings): string {
  const plots = documents.flatMap(plotsOf)
  const code = program.replaceAll('</script', '<\\/script')
  const hash = createHash('sha256').update(code).digest('base64')
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; base-uri 'none'`
  return `${
    html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="kt">
<title>${documents.map(({ title }) => title).join('; ')}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<main>
${documents.map((document) => documentMarkup(document, drawings))}
<footer>Written by kt. Each plot has its figures in a table below it; the numbers are those of the report.</footer>
</main>
<script type="application/json" id="kt-plots">${scriptJson(plots.map(drawnOf))}</script>
<script type="module">${new Markup(code)}</script>
</body>
</html>
`.text
  }`
}

/** What the script draws. The table stands in the page, and nobody sees more digits than these. */
function drawnOf({ table: _, ...plot }: Plot): object {
  return JSON.parse(JSON.stringify(plot), (_key, value) =>
    typeof value === 'number' ? Number(value.toPrecision(6)) : value,
  )
}

/** The plots of one document have names of their own; those of several are told apart by its number. */
export function withOwnIds(documents: readonly Document[]): Document[] {
  if (documents.length === 1) return [...documents]
  return documents.map((document, index) => ({
    ...document,
    sections: document.sections.map(({ plots = [], ...section }) => ({
      ...section,
      plots: plots.map((plot) => ({ ...plot, id: `${index + 1}-${plot.id}` })),
    })),
  }))
}

function documentMarkup({ title, sentences, facts, sections }: Document, drawings: Drawings | undefined): Markup {
  return html`<article>
<h1>${title}</h1>
${sentences.map(sentenceMarkup)}
<dl>${facts.map(([name, text]) => html`<dt>${name}</dt><dd>${text}</dd>`)}</dl>
${sections.map((section) => sectionMarkup(section, drawings))}
</article>
`
}

function sentenceMarkup({ verdict, text }: Sentence): Markup {
  const word = verdict === null ? html`` : html`<b>${verdict.toUpperCase()}</b> `
  return html`<p class="sentence ${verdict ?? ''}">${word}${text}</p>
`
}

function sectionMarkup(
  { title, lines = [], tables = [], plots = [] }: Section,
  drawings: Drawings | undefined,
): Markup {
  return html`<section>
<h2>${title}</h2>
${lines.map((line) => html`<p>${line}</p>\n`)}
${tables.map(({ caption, table }) => tableMarkup(table, caption))}
${plots.map((plot) => figureMarkup(plot, drawings?.get(plot)))}
</section>
`
}

function figureMarkup(plot: Plot, drawing: string | undefined): Markup {
  const { id, title, says, table } = plot
  const still = drawing === undefined ? html`<p>The script of this page draws it.</p>` : new Markup(drawing)
  return html`<figure id="${id}" data-plot="${id}">
<figcaption><h3>${title}</h3><p>${says}</p></figcaption>
<div class="plot" role="img" aria-label="${`${title}. ${says}`}">
<div class="still">${still}</div></div>
<details><summary>Table: ${title}</summary>
${tableMarkup(table, title)}
</details>
</figure>
`
}

/** A table that is wider or longer than its place can be scrolled by keyboard too. */
function tableMarkup({ head, rows }: PlotTable, caption: string): Markup {
  const kinds = head.map((_, index) => kindOf(rows.flatMap((row) => row[index] ?? [])))
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${head.map((name, index) => html`<th scope="col"${classOf(kinds[index])}>${name}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${row.map((cell, index) => cellMarkup(cell, index, kinds[index]))}</tr>\n`)}</tbody>
</table></div>
`
}

const LONG = 40

type Kind = 'number' | 'text' | undefined

/** How a column is set: numbers under each other, long texts over several lines, others on one. */
function kindOf(cells: readonly Cell[]): Kind {
  if (cells.some((cell) => typeof cell !== 'string')) return 'number'
  return cells.some((cell) => typeof cell === 'string' && cell.length > LONG) ? 'text' : undefined
}

function classOf(kind: Kind): Markup {
  return kind === undefined ? html`` : html` class="${kind}"`
}

function cellMarkup(cell: Cell, index: number, kind: Kind): Markup {
  if (typeof cell !== 'string') return html`<td data-value="${cell.value}">${cell.text}</td>`
  if (index === 0) return html`<th scope="row"${classOf(kind)}>${cell}</th>`
  return html`<td${classOf(kind)}>${cell}</td>`
}
