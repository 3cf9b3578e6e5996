/** The page of a run: what it says, what was measured, and its plots. */
import { differenceSentence, droppedLines, rankingSentence } from '../output/gateways-table.ts'
import { fidelityLines } from '../output/replay-line.ts'
import { checkSentence, estimateSentence, loopLine, noiseLine } from '../output/sentences.ts'
import { soakLines } from '../output/soak-lines.ts'
import { goodputWords } from '../output/throughput-lines.ts'
import { type Arm, armsOf } from '../plots/arms.ts'
import { blockPlots } from '../plots/blocks.ts'
import { distributionPlots } from '../plots/distribution.ts'
import { cell } from '../plots/formats.ts'
import { overheadPlots } from '../plots/overhead.ts'
import type { PlotTable } from '../plots/plot.ts'
import { scrapedPlots } from '../plots/scraped.ts'
import { soakTable } from '../plots/soak.ts'
import { timelinePlots } from '../plots/timeline.ts'
import { runsOf } from '../report/runs.ts'
import type { BenchReport, Check, Run } from '../report/schema.ts'
import { METRIC_NAMES, type Metric } from '../slo/metrics.ts'
import { formatDuration } from '../units.ts'
import { estimateAdded } from '../verdict/estimate.ts'
import { goodputOf } from '../verdict/goodput.ts'
import type { Document, Section, Sentence } from './document.ts'

/** The page of a report, of one gateway or of several. */
export function reportDocument(report: BenchReport): Document {
  const [first, ...others] = runsOf(report)
  const page = benchDocument(first, others)
  if (others.length === 0) return page
  const differences = (report.ranking?.differences ?? []).map((one, _, all) => differenceSentence(one, all.length))
  const lines = [rankingSentence(report), ...droppedLines(report), ...differences]
  return {
    ...page,
    title: `kt bench: ${others.length + 1} gateways`,
    sections: [{ title: 'Order', lines }, ...page.sections],
  }
}

/** `others`: further gateways of the same run. */
export function benchDocument(run: Run, others: readonly Run[] = []): Document {
  const arms = armsOf(run, others)
  return {
    title: `kt bench: ${run.gateway ?? run.name} at ${run.url}`,
    sentences: sentencesOf(run, others),
    facts: factsOf(run),
    sections: [
      { title: 'Requests', tables: [{ caption: 'Requests of each arm', table: totalsTable(arms) }] },
      ...distributionSections(arms),
      ...section('Overhead', overheadPlots(run, ...others)),
      ...soakSections(run),
      ...section('Over time', [...timelinePlots(run, arms), ...scrapedPlots(run)]),
      ...section('Blocks', blockPlots(arms)),
    ],
  }
}

/** Of a short run only that it is one, where memory was watched. */
function soakSections(run: Run): Section[] {
  const { soak } = run
  if (!soak) return soakLines(run).map(({ text }) => ({ title: 'Soak', lines: [text] }))
  const lines = [
    `Without the first ${formatDuration(soak.leftOutS * 1_000)}, in which servers settle. Slopes and intervals are ` +
      'those of Theil and Sen, and P is that of Mann and Kendall, for values of which each tells something of the ' +
      'next.',
  ]
  return [{ title: 'Soak', lines, tables: [{ caption: 'Memory and latency over hours', table: soakTable(soak) }] }]
}

export function checkSentences(checks: readonly Check[]): Sentence[] {
  return checks.map((check) => ({ verdict: check.verdict, text: checkSentence(check) }))
}

function sentencesOf(run: Run, others: readonly Run[]): Sentence[] {
  const slo = (run.slo ?? []).flatMap(({ checks }) => checks)
  const runs = [run, ...others]
  const judged = checkSentences([...runs.flatMap(({ gate }) => gate?.checks ?? []), ...slo])
  const added = runs.flatMap((one): Sentence[] => {
    const estimate = estimateAdded(one)
    const name = others.length === 0 ? '' : `${one.name}: `
    return estimate ? [{ verdict: null, text: name + estimateSentence(estimate) }] : []
  })
  const sentences = [...judged, ...added]
  if (sentences.length > 0) return sentences
  return [{ verdict: null, text: 'Nothing was judged, and no answer tells what a gateway adds.' }]
}

function factsOf(run: Run): Document['facts'] {
  const { load, machine, target, client, kt } = run
  return [
    ['Measured', `${run.startedAt}${run.tookS === undefined ? '' : `, in ${run.tookS} s`}`],
    ['Model', `${target.model}, ${target.endpoint}${target.stream ? ', streamed' : ''}`],
    ['Load', loopLine(run)],
    ...fidelityLines(run, true).map(({ text }) => ['Replay', text] as const),
    ['Workload', load.workload.name],
    ['Client', [client.verdict, ...client.why].join('; ')],
    ['Noise', noiseLine(run.noise)],
    ['Machine', `${machine.cpuModel}, ${machine.cores} cores, ${machine.kernel}, Node ${machine.node}`],
    ['kt', `${kt.version}${kt.gitSha === null ? '' : ` (${kt.gitSha})`}`],
    ['Command', run.command],
    ...(run.interrupted ? [['Interrupted', 'these are the figures up to then'] as const] : []),
  ]
}

function totalsTable(arms: readonly Arm[]): PlotTable {
  const goodput = arms.map(({ run }) => {
    const known = goodputOf(run)
    return known && goodputWords(known)
  })
  const targets = goodput.some((words) => words !== undefined)
  return {
    head: [
      '',
      'sent',
      'answered',
      'failed',
      'requests/s',
      'tokens/s',
      ...(targets ? ['goodput'] : []),
      'failures',
      'URL',
    ],
    rows: arms.map(({ name, run: { url, totals, throughput } }, i) => [
      name,
      cell(totals.sent, 'count'),
      cell(totals.successful, 'count'),
      cell(totals.failed, 'count'),
      cell(throughput.requestsPerSec, 'per second'),
      cell(throughput.tokensPerSec, 'per second'),
      ...(targets ? [goodput[i] ?? '-'] : []),
      Object.entries(totals.outcomes)
        .filter(([code]) => code !== 'OK')
        .map(([code, count]) => `${count} x ${code}`)
        .join(', ') || 'none',
      url,
    ]),
  }
}

const TITLES: Partial<Record<Metric, string>> = {
  latency: 'Latency',
  ttft: 'Time to first token',
  tpot: 'Time per output token',
  interToken: 'Between tokens',
  addedTtft: 'Added to the first token',
  addedPerToken: 'Added to each token',
  hold: 'Hold of tokens',
}

export function distributionSections(arms: readonly Arm[]): Section[] {
  return METRIC_NAMES.flatMap((metric) => {
    const title = TITLES[metric]
    return title === undefined ? [] : section(title, distributionPlots(metric, arms))
  })
}

export function section(title: string, plots: NonNullable<Section['plots']>, rest: Partial<Section> = {}): Section[] {
  return plots.length === 0 ? [] : [{ title, plots, ...rest }]
}
