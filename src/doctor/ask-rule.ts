/** One rule, asked about all the evidence there is: an opinion a kind, and what comes of them together. */
import { stringify } from 'yaml'
import { type DoctorOpinion, type Evidence, type RuleResult, SEVERITIES } from '../report/doctor-schema.ts'
import type { BenchReport } from '../report/schema.ts'
import type { GatewayFile } from './config/read.ts'
import type { Measured } from './probe/measured.ts'
import { type ConfigKind, notChecked, type Opinion, type Rule } from './rule.ts'

/** What there is to look at. */
export interface Gathered {
  file: GatewayFile | undefined
  report: BenchReport | undefined
  measured: Measured | undefined
  /** Why there is no measurement, though one was asked for. */
  failure: string | null
}

/** What each kind of evidence that there is says of `rule`. */
export function askRule(rule: Rule, { file, report, measured, failure }: Gathered): RuleResult {
  const opinions: DoctorOpinion[] = []
  const add = (by: Evidence, opinion: Opinion, kind: ConfigKind | undefined): void => {
    if (opinion.status !== 'found') opinions.push({ by, ...opinion })
    else {
      const { severity, certainty, seen, cost = rule.cost, how = rule.fix.how } = opinion
      const patch = opinion.patch ?? (kind && rule.fix[kind]) ?? {}
      const yaml = Object.keys(patch).length > 0 ? stringify(patch, { lineWidth: 0 }) : null
      opinions.push({ status: 'found', by, severity, certainty, seen, cost, fix: { how, patch: yaml } })
    }
  }
  if (file) add('config', ofConfig(rule, file), file.kind)
  // A patch is no help where the config says so already.
  const kind = opinions[0]?.status === 'fine' ? undefined : file?.kind
  if (report) add('report', ofReport(rule, report), kind)
  if (measured)
    add('measurement', typeof rule.measure === 'string' ? notChecked(rule.measure) : rule.measure(measured), kind)
  else if (failure !== null) add('measurement', notChecked(`nothing could be measured: ${failure}`), kind)
  const statuses = opinions.map(({ status }) => status)
  const severities = opinions.flatMap((opinion) => (opinion.status === 'found' ? [opinion.severity] : []))
  return {
    rule: rule.id,
    title: rule.title,
    status: statuses.includes('found') ? 'found' : statuses.includes('fine') ? 'fine' : 'not-checked',
    severity: SEVERITIES.findLast((severity) => severities.includes(severity)) ?? null,
    opinions,
  }
}

function ofConfig({ config }: Rule, file: GatewayFile): Opinion {
  const look = config[file.kind] as ((of: GatewayFile) => Opinion) | string
  return typeof look === 'string' ? notChecked(look) : look(file)
}

function ofReport({ report: look }: Rule, report: BenchReport): Opinion {
  if (typeof look === 'string') return notChecked(look)
  if (report.target.role === 'direct') return notChecked('the run went straight to the provider')
  return report.totals.sent === 0 ? notChecked('the run sent nothing') : look(report)
}
