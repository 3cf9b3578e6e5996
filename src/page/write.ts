/** Writes pages and plots: the page of a result to a file, each of its plots to a folder. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { systemReason } from '../parse/system-reason.ts'
import { colorRules } from '../plots/colors.ts'
import { writeOutput } from '../report/write-output.ts'
import { type Document, plotsOf, printableDocument } from './document.ts'

/** Nothing where no page was asked for. `toDocument` imports what it needs, so that then no plot is loaded either. */
export async function writePage(path: string | undefined, toDocument: () => Promise<Document>): Promise<void> {
  if (path !== undefined) await writePages(path, [await toDocument()], '--html')
}

export async function writePages(path: string, documents: readonly Document[], flag: string): Promise<void> {
  const { renderPage } = await import('./render.ts')
  await writeOutput(path, renderPage(documents), flag)
}

const WIDTH = 900

/** What makes a file of a drawing, by how its name ends and its flag is called. */
const KINDS = {
  svg: async () => standalone,
  png: async () => (await import('../plots/png.ts')).pngMaker(),
}

/** The plots as files of their own; the paths. */
export async function writePlots(
  kind: keyof typeof KINDS,
  folder: string,
  documents: readonly Document[],
): Promise<string[]> {
  const [{ withOwnIds }, { drawSvg }, toFile] = await Promise.all([
    import('./render.ts'),
    import('../plots/engine.ts'),
    KINDS[kind](),
  ])
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    throw new UserError(`cannot make the folder ${folder}: ${systemReason(error)}`, `Give --${kind} another folder.`)
  }
  const plots = withOwnIds(documents.map(printableDocument)).flatMap(plotsOf)
  const paths: string[] = []
  for (const plot of plots) {
    const path = join(folder, `${plot.id}.${kind}`)
    await writeOutput(path, toFile(drawSvg(plot, WIDTH)), `--${kind}`)
    paths.push(path)
  }
  return paths
}

/** Right in light and dark: with the colours that a page gives, and the paper that it stands on. */
function standalone(svg: string): string {
  const style = `<style>${colorRules('svg')}svg{background:var(--kt-paper)}</style>`
  return `${svg.replace(/<svg[^>]*>/, (head) => `${head}${style}`)}\n`
}
