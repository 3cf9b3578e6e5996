/**
 * A diagnosis as text in 80 columns: findings by severity, each with its cost and its patch, then the rules that are
 * fine and those that were not checked.
 */
import type { ChalkInstance } from 'chalk'
import type { DoctorOpinion, DoctorResult, Evidence, RuleResult, Severity } from '../report/doctor-schema.ts'
import { counted } from '../units.ts'
import { paint, WIDTH, wrap, wrapHanging } from './table.ts'

const KINDS = { kt: 'reference gateway', kong: 'Kong', litellm: 'LiteLLM' }
const EVIDENCE: Record<Evidence, string> = { config: 'config', report: 'report', measurement: 'measured' }
const BY_SEVERITY: readonly Severity[] = ['critical', 'warning', 'info']
const LABEL = 10

export function renderDoctor(result: DoctorResult, color: boolean): string {
  const c = paint(color)
  const { rules } = result
  const found = BY_SEVERITY.flatMap((severity) => rules.filter((rule) => rule.severity === severity))
  return [header(result, c), ...found.map((rule) => finding(rule, c)), fineList(rules, c), uncheckedList(rules, c)]
    .filter((part) => part !== '')
    .join('\n\n')
}

function header({ config, report, measured, summary, severity }: DoctorResult, c: ChalkInstance): string {
  const { critical, warning, info } = summary.found
  const bySeverity = [
    [critical, 'critical'],
    [warning, warning === 1 ? 'warning' : 'warnings'],
    [info, 'info'],
  ].flatMap(([count, name]) => (count ? [`${count} ${name}`] : []))
  const subjects = [
    config && `${config.path} (${KINDS[config.kind]})`,
    report && `report ${report.path}`,
    measured && `${measured.url}, ${counted(measured.requests, 'request')}`,
    measured?.providerUrl && `simulated provider ${measured.providerUrl}`,
  ].flatMap((text) => (text ? [c.dim(wrapHanging(text, '  '))] : []))
  const seen = `${summary.fine} fine, ${summary.notChecked} not checked (exit 3 from ${severity} on)`
  const trouble = troubleOf(measured)
  // Beside a trouble 'nothing found' would read as good news.
  const found = bySeverity.join(', ') || (trouble === undefined ? 'nothing found' : '')
  const isEmpty = found === '' && summary.fine === 0
  const counts = [found, seen].filter((part) => part !== '').join('; ')
  const headline = wrapHanging(`kt doctor  ${trouble ?? counts}`, '', 2).slice('kt doctor'.length)
  return [
    `${c.bold('kt doctor')}${trouble === undefined ? headline : c.red(headline)}`,
    ...(trouble === undefined || isEmpty ? [] : [wrapHanging(counts, '  ')]),
    ...subjects,
  ].join('\n')
}

/** What keeps the gateway from being examined, as a whole or in its streams: it is told before all else. */
function troubleOf(measured: DoctorResult['measured']): string | undefined {
  if (!measured) return undefined
  const { failure, streams } = measured
  if (failure !== null) return `the gateway was not examined: ${failure}`
  return streams && `${streams.failed} of ${streams.asked} streams ended in errors: ${streams.why}`
}

function finding({ rule, title, severity, opinions }: RuleResult, c: ChalkInstance): string {
  const shade = { critical: c.red, warning: c.yellow, info: c.cyan }[severity ?? 'info']
  const name = (severity ?? '').toUpperCase()
  const [first = '', ...rest] = wrap(`${name.padEnd(LABEL)}${title}`, WIDTH, LABEL)
  const findings = opinions.filter((opinion) => opinion.status === 'found')
  return [
    shade.bold(first),
    ...rest.map((line) => shade.bold(line)),
    c.dim(`${' '.repeat(LABEL)}${rule}`),
    ...opinions.map(seenLine),
    ...unique(findings.map(({ cost }) => labelled('Costs', cost))),
    ...unique(findings.map(({ fix }) => fixLines(fix, c))),
  ].join('\n')
}

function seenLine(opinion: DoctorOpinion, index: number): string {
  const label = index === 0 ? 'Seen' : ''
  const who = EVIDENCE[opinion.by]
  if (opinion.status === 'found') return labelled(label, `${who}, ${opinion.certainty}: ${opinion.seen}`)
  return labelled(label, opinion.status === 'fine' ? `${who}: ${opinion.seen}` : `${who}, not checked: ${opinion.why}`)
}

function fixLines({ how, patch }: Extract<DoctorOpinion, { status: 'found' }>['fix'], c: ChalkInstance): string {
  const lines = patch === null ? [] : patch.trimEnd().split('\n')
  return [labelled('Fix', how), ...lines.map((line) => c.green(`${' '.repeat(LABEL + 2)}${line}`))].join('\n')
}

function labelled(label: string, text: string): string {
  return wrap(`${`  ${label}`.padEnd(LABEL)}${text}`, WIDTH, LABEL).join('\n')
}

/** A paragraph for each rule: its id, and what each evidence showed. */
function fineList(rules: readonly RuleResult[], c: ChalkInstance): string {
  const lines = rules
    .filter(({ status }) => status === 'fine')
    .map(({ rule, opinions }) => {
      const seen = opinions.flatMap((one) => (one.status === 'fine' ? [`${EVIDENCE[one.by]}: ${one.seen}`] : []))
      return wrapHanging(`${rule}  ${seen.join('; ')}`, '  ', 4)
    })
  return section('Fine', lines, c)
}

/** The rules that could not be checked, grouped by reason. */
function uncheckedList(rules: readonly RuleResult[], c: ChalkInstance): string {
  const byReason = new Map<string, string[]>()
  for (const { rule, status, opinions } of rules) {
    if (status !== 'not-checked') continue
    const reasons = opinions.flatMap((one) => (one.status === 'not-checked' ? [one] : []))
    // A reason of the config is dropped where another evidence was examined too.
    const shown = reasons.some(({ by }) => by !== 'config') ? reasons.filter(({ by }) => by !== 'config') : reasons
    const why = unique(shown.map((one) => one.why)).join('; ')
    byReason.set(why, [...(byReason.get(why) ?? []), rule])
  }
  const lines = [...byReason].map(([why, names]) => wrapHanging(`${names.join(', ')}  ${why}`, '  ', 4))
  return section('Not checked', lines, c)
}

function section(title: string, lines: readonly string[], c: ChalkInstance): string {
  return lines.length > 0 ? [c.bold(title), ...lines].join('\n') : ''
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)]
}
