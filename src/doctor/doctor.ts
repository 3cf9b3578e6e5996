/** `kt doctor`, whole: gathers the evidence that was named (a config, a report, a gateway to measure) and asks every rule about it. */

import { stringify } from 'yaml'
import { z } from 'zod'
import { withoutSecrets } from '../bench/config.ts'
import { header } from '../bench/option-schema.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { parseWith } from '../parse/file.ts'
import {
  DOCTOR_SCHEMA,
  type DoctorOpinion,
  type DoctorResult,
  type Evidence,
  type RuleResult,
  SEVERITIES,
  type Severity,
} from '../report/doctor-schema.ts'
import { readReport } from '../report/read.ts'
import type { BenchReport } from '../report/schema.ts'
import { ktVersion } from '../system/machine.ts'
import { DEFAULT_MODEL } from '../workload/choose.ts'
import { type GatewayFile, readGatewayFile } from './config/read.ts'
import { measure } from './probe/measure.ts'
import type { Measured } from './probe/measured.ts'
import { type DoctorHooks, type DoctorRequest, refuse } from './probe/prober.ts'
import { type ConfigKind, notChecked, type Opinion, type Rule } from './rule.ts'
import { RULES } from './rules.ts'
import { announce, openPlace } from './run.ts'

export interface Diagnosis {
  result: DoctorResult
  exitCode: ExitCode
}

type Attempt = Awaited<ReturnType<typeof measure>>

export async function diagnose(request: DoctorRequest, hooks: DoctorHooks): Promise<Diagnosis> {
  refuse(request)
  const headers = headersOf(request.header)
  const file = request.config === undefined ? undefined : readGatewayFile(request.config)
  const report = request.report === undefined ? undefined : readReport(request.report)
  const place = await openPlace(request, file, hooks)
  let attempt: Attempt | undefined
  if (place) {
    announce(place.target, hooks.note)
    const { target, providerOrigin, keys, fresh, close } = place
    const subject = { target, providerOrigin, keys, fresh, model: request.model ?? DEFAULT_MODEL, header: headers }
    attempt = await measure({ ...subject, interrupt: hooks.interrupt })
      .catch((error: unknown): Attempt => {
        if (hooks.interrupt.aborted) return { failure: 'interrupted', requests: 0 }
        throw error
      })
      .finally(close)
  }
  const measured = attempt && 'whole' in attempt ? attempt : undefined
  const secrets = [...(place?.keys ?? []).flatMap((key) => key ?? []), ...headers.map(([, value]) => value)]
  const failure = attempt && 'failure' in attempt ? withoutSecrets(attempt.failure, secrets) : null
  const rules = RULES.map((rule) => askRule(rule, { file, report, measured, failure }))
  const severity = request.severity ?? 'warning'
  const found = (of: Severity): number => rules.filter((rule) => rule.severity === of).length
  const result: DoctorResult = {
    schema: DOCTOR_SCHEMA,
    kt: { version: ktVersion },
    config: file ? { path: file.path, kind: file.kind } : null,
    report: request.report === undefined ? null : { path: request.report },
    measured:
      place && attempt
        ? {
            url: place.target.shownUrl,
            providerUrl: place.providerOrigin ?? null,
            requests: attempt.requests,
            failure,
          }
        : null,
    severity,
    summary: {
      found: { critical: found('critical'), warning: found('warning'), info: found('info') },
      fine: rules.filter(({ status }) => status === 'fine').length,
      notChecked: rules.filter(({ status }) => status === 'not-checked').length,
    },
    rules,
  }
  return { result, exitCode: exitCodeOf(rules, severity, failure, hooks.interrupt.aborted) }
}

function exitCodeOf(rules: readonly RuleResult[], from: Severity, failure: string | null, stopped: boolean): ExitCode {
  if (stopped) return EXIT.interrupted
  const rank = (severity: Severity | null): number => (severity === null ? -1 : SEVERITIES.indexOf(severity))
  if (rules.some(({ severity }) => rank(severity) >= rank(from))) return EXIT.breached
  return failure === null ? EXIT.passed : EXIT.inconclusive
}

function headersOf(given: readonly string[] = []): (readonly [string, string])[] {
  return given.map((text) => parseWith(text, z.string().pipe(header), '--header', "header of the form 'Name: value'"))
}

/** One rule, asked about all the evidence there is: an opinion a kind, and what comes of them together. */

/** What there is to look at. */
interface Gathered {
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
