import * as Args from '@oclif/core/args'
import { z } from 'zod'
import { KtCommand } from '../command.ts'
import { failure } from '../errors.ts'
import { readDocument } from '../page/read.ts'
import { writePages, writePlots } from '../page/write.ts'
import { flagGroup, flagsOf } from '../parse/flags.ts'
import { parseFlags, rulesOf } from '../parse/parse-flags.ts'
import { assertWritable } from '../report/write-output.ts'

const { text } = flagGroup()

const reportFlags = {
  output: text(z.string().optional(), "write the page to this file; '-': stdout", { helpValue: 'page.html' }),
  svg: text(z.string().optional(), 'write each plot as an SVG into this folder', { helpValue: 'folder' }),
  png: text(z.string().optional(), 'write each plot as a PNG into this folder, in light', { helpValue: 'folder' }),
}

const rule = rulesOf<{ output?: string | undefined; svg?: string | undefined; png?: string | undefined }>()

const RULES = [
  rule(
    ['output', 'svg', 'png'],
    ({ output, svg, png }) =>
      output === undefined &&
      svg === undefined &&
      png === undefined &&
      failure('nothing says where to', 'Give -o page.html, or --svg FOLDER or --png FOLDER for the plots.'),
  ),
]

export default class Report extends KtCommand {
  static override summary = 'Make a page with plots of reports, to be shown to people who do not run kt.'

  static override description =
    'Reads what kt wrote as JSON (the report of a bench, a sweep, a comparison, a plan, a history, a diagnosis) and ' +
    'writes one self-contained page, which needs no network: the verdicts, every plot with its table, light and dark.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> report.json -o page.html',
    '<%= config.bin %> <%= command.id %> report.json chat.json plan.json -o page.html --svg plots',
  ]

  static override strict = false

  static override args = { file: Args.string({ description: 'JSON of kt; several make one page', required: true }) }

  static override flags = flagsOf(reportFlags)

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Report)
    const { output, svg, png } = parseFlags(flags, reportFlags, 'kt report', RULES)
    if (output !== undefined) assertWritable(output)
    const documents = argv.map((file) => readDocument(String(file)))
    // First what may lack something.
    const pictures = png === undefined ? [] : await writePlots('png', png, documents)
    const drawings = svg === undefined ? [] : await writePlots('svg', svg, documents)
    if (output !== undefined) {
      await writePages(output, documents, '--output')
      this.note(`kt: wrote ${output}`)
    }
    for (const path of [...drawings, ...pictures]) this.note(`kt: wrote ${path}`)
  }
}
