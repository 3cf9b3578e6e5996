/** Writes pages and plots: the page of a result to a file, each of its plots to a folder. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { systemReason } from '../parse/file.ts'
import { colorRules } from '../plots/colors.ts'
import { writeOutput } from '../report/write-output.ts'
import { type Document, printableDocument } from './document.ts'

/** Nothing where no page was asked for. `toDocument` imports what it needs, so that then no plot is loaded either. */
export async function writePage(path: string | undefined, toDocument: () => Promise<Document>): Promise<void> {
  if (path !== undefined) await writePages(path, [await toDocument()], '--html')
}

export async function writePages(path: string, documents: readonly Document[], flag: string): Promise<void> {
  const { renderPage } = await import('./render.ts')
  await writeOutput(path, renderPage(documents), flag)
}

const SVG_WIDTH = 900

/** The plots as files of their own, right in light and dark; the paths. */
export async function writeSvgs(folder: string, documents: readonly Document[]): Promise<string[]> {
  const [{ plotsOf, withOwnIds }, { drawSvg }] = await Promise.all([
    import('./render.ts'),
    import('../plots/engine.ts'),
  ])
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    throw new UserError(`cannot make the folder ${folder}: ${systemReason(error)}`, 'Give --svg another folder.')
  }
  const plots = withOwnIds(documents.map(printableDocument)).flatMap(plotsOf)
  const paths: string[] = []
  for (const plot of plots) {
    const path = join(folder, `${plot.id}.svg`)
    await writeOutput(path, standalone(drawSvg(plot, SVG_WIDTH)), '--svg')
    paths.push(path)
  }
  return paths
}

/** With the colours that a page gives, and the paper that it stands on. */
function standalone(svg: string): string {
  const style = `<style>${colorRules('svg')}svg{background:var(--kt-paper)}</style>`
  return `${svg.replace(/<svg[^>]*>/, (head) => `${head}${style}`)}\n`
}
