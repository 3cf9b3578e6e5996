/**
 * A diagnosis as text: findings by severity, each with its cost and its patch; on request also the rules that are fine
 * and those that were not checked.
 */
import {
  type DoctorOpinion,
  type DoctorResult,
  type Evidence,
  INTERRUPTED,
  type RuleResult,
  type Severity,
} from '../report/doctor-schema.ts'
import { hang } from '../system/terminal.ts'
import { counted } from '../units.ts'
import { type Answer, answered } from './answer.ts'
import { type Page, paragraph } from './table.ts'

const KINDS = { kt: 'reference gateway', kong: 'Kong', litellm: 'LiteLLM' }
const EVIDENCE: Record<Evidence, string> = { config: 'config', report: 'report', measurement: 'measured' }
const BY_SEVERITY: readonly Severity[] = ['critical', 'warning', 'info']
const LABEL = 10

export function renderDoctor(result: DoctorResult, page: Page): string {
  const { rules } = result
  const found = BY_SEVERITY.flatMap((severity) => rules.filter((rule) => rule.severity === severity))
  const others = page.explain ? [fineList(rules, page), uncheckedList(rules, page)] : [othersLine(result, page)]
  const parts = [header(result, page), ...found.map((rule) => finding(rule, page)), ...others]
  return answered(doctorAnswer(result, found, page), parts, page)
}

/** What was found and the worst of it, or what kept the gateway from being examined. */
function doctorAnswer({ measured, summary }: DoctorResult, found: readonly RuleResult[], { explain }: Page): Answer {
  const counts = countsOf(summary)
  const trouble = troubleOf(measured)
  const also = counts === '' ? '' : ` Beside that: ${counts}.`
  if (measured?.failure === INTERRUPTED)
    return { text: `Interrupted before the gateway was examined.${also}`, next: '' }
  if (measured && measured.failure !== null) {
    return { text: `${trouble}.${also}`, next: 'Check the address in --url, the key and the model, then ask again.' }
  }
  if (trouble) return { text: `${trouble}.${also}`, next: 'Look at the log of the gateway.' }
  const [worst, ...others] = found
  if (!worst) {
    const open = summary.notChecked > 0 ? `; ${counted(summary.notChecked, 'rule')} could not be checked` : ''
    const next = summary.notChecked > 0 && !explain ? '--explain tells why.' : ''
    return { text: `Nothing found: ${counted(summary.fine, 'rule')} fine${open}.`, next }
  }
  const which = others.length > 0 ? ', the worst' : ''
  return {
    text: `Found ${counts}${which}: ${worst.title}.`,
    next: others.length > 0 ? 'Each finding names its fix: begin with the worst.' : 'Its fix is below.',
  }
}

function countsOf({ found: { critical, warning, info } }: DoctorResult['summary']): string {
  const counts = [
    critical > 0 ? `${critical} critical` : '',
    warning > 0 ? counted(warning, 'warning') : '',
    info > 0 ? `${info} info` : '',
  ]
  return counts.filter((count) => count !== '').join(', ')
}

function othersLine({ summary }: DoctorResult, { c }: Page): string {
  const { fine, notChecked } = summary
  return c.dim(`${fine} fine, ${notChecked} not checked: --explain lists them.`)
}

function header({ config, report, measured, severity }: DoctorResult, page: Page): string {
  const { c, width } = page
  const subjects = [
    config && `${config.path} (${KINDS[config.kind]})`,
    report && `report ${report.path}`,
    measured && `${measured.url}, ${counted(measured.requests, 'request')}`,
    measured?.providerUrl && `simulated provider ${measured.providerUrl}`,
  ].filter((text) => typeof text === 'string')
  return hang(`${c.bold('kt doctor')}  `, c.dim(`${subjects.join('; ')} (exit 3 from ${severity} on)`), width).join(
    '\n',
  )
}

/** What keeps the gateway from being examined, as a whole or in its streams: it is told before all else. */
function troubleOf(measured: DoctorResult['measured']): string | undefined {
  if (!measured) return undefined
  const { failure, streams } = measured
  if (failure !== null) return `The gateway was not examined: ${failure}`
  return streams && `${streams.failed} of ${streams.asked} streams ended in errors: ${streams.why}`
}

function finding({ rule, title, severity, opinions }: RuleResult, page: Page): string {
  const { c, width } = page
  const shade = { critical: c.red, warning: c.yellow, info: c.cyan }[severity ?? 'info']
  const name = (severity ?? '').toUpperCase()
  const findings = opinions.filter((opinion) => opinion.status === 'found')
  return [
    ...hang(name.padEnd(LABEL), title, width).map((line) => shade.bold(line)),
    c.dim(`${' '.repeat(LABEL)}${rule}`),
    ...opinions.map((opinion, i) => seenLine(opinion, i, page)),
    ...unique(findings.map(({ cost }) => labelled('Costs', cost, page))),
    ...unique(findings.map(({ fix }) => fixLines(fix, page))),
  ].join('\n')
}

function seenLine(opinion: DoctorOpinion, index: number, page: Page): string {
  const label = index === 0 ? 'Seen' : ''
  const who = EVIDENCE[opinion.by]
  if (opinion.status === 'found') return labelled(label, `${who}, ${opinion.certainty}: ${opinion.seen}`, page)
  const text = opinion.status === 'fine' ? `${who}: ${opinion.seen}` : `${who}, not checked: ${opinion.why}`
  return labelled(label, text, page)
}

/** A patch is there to be copied: its lines are never broken. */
function fixLines({ how, patch }: Extract<DoctorOpinion, { status: 'found' }>['fix'], page: Page): string {
  const lines = patch === null ? [] : patch.trimEnd().split('\n')
  return [labelled('Fix', how, page), ...lines.map((line) => page.c.green(`${' '.repeat(LABEL + 2)}${line}`))].join(
    '\n',
  )
}

function labelled(label: string, text: string, { width }: Page): string {
  return hang(`  ${label}`.padEnd(LABEL), text, width).join('\n')
}

/** A paragraph for each rule: its id, and what each evidence showed. */
function fineList(rules: readonly RuleResult[], page: Page): string {
  const lines = rules
    .filter(({ status }) => status === 'fine')
    .map(({ rule, opinions }) => {
      const seen = opinions.flatMap((one) => (one.status === 'fine' ? [`${EVIDENCE[one.by]}: ${one.seen}`] : []))
      return paragraph(`${rule}  ${seen.join('; ')}`, page, '  ')
    })
  return section('Fine', lines, page)
}

/** The rules that could not be checked, grouped by reason. */
function uncheckedList(rules: readonly RuleResult[], page: Page): string {
  const byReason = new Map<string, string[]>()
  for (const { rule, status, opinions } of rules) {
    if (status !== 'not-checked') continue
    const reasons = opinions.flatMap((one) => (one.status === 'not-checked' ? [one] : []))
    // A reason of the config is dropped where another evidence was examined too.
    const shown = reasons.some(({ by }) => by !== 'config') ? reasons.filter(({ by }) => by !== 'config') : reasons
    const why = unique(shown.map((one) => one.why)).join('; ')
    byReason.set(why, [...(byReason.get(why) ?? []), rule])
  }
  const lines = [...byReason].map(([why, names]) => paragraph(`${names.join(', ')}  ${why}`, page, '  '))
  return section('Not checked', lines, page)
}

function section(title: string, lines: readonly string[], { c }: Page): string {
  return lines.length > 0 ? [c.bold(title), ...lines].join('\n') : ''
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)]
}
