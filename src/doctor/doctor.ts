/**
 * `kt doctor`: gathers the evidence that was named (a config, a report, a gateway to measure) and asks every rule for
 * its opinion of each kind of evidence.
 */

import { stringify } from 'yaml'
import { withoutSecrets } from '../bench/config.ts'
import { proxySecrets } from '../bench/options/routes.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import {
  DOCTOR_SCHEMA,
  type DoctorOpinion,
  type DoctorResult,
  type Evidence,
  INTERRUPTED,
  type RuleResult,
  SEVERITIES,
  type Severity,
} from '../report/doctor-schema.ts'
import { readRun } from '../report/read.ts'
import type { Run } from '../report/schema.ts'
import { ktVersion } from '../system/machine.ts'
import { type GatewayFile, readGatewayFile } from './config/read.ts'
import { announce, type DoctorHooks, openTarget } from './open-target.ts'
import type { DoctorOptions } from './options.ts'
import { type MeasureResult, measure } from './probe/measure.ts'
import { type Measurements, noStreams, streamFailures } from './probe/measured.ts'
import { type ConfigKind, type DoctorRule, notChecked, type Opinion } from './rule.ts'
import { RULES } from './rules.ts'

interface Diagnosis {
  result: DoctorResult
  exitCode: ExitCode
}

export async function diagnose(options: DoctorOptions, hooks: DoctorHooks): Promise<Diagnosis> {
  const { endpoint, header: headers, model, severity } = options
  const file = options.config === undefined ? undefined : readGatewayFile(options.config)
  const report = options.report === undefined ? undefined : readRun(options.report)
  const pair = await openTarget(options, file, hooks)
  let attempt: MeasureResult | undefined
  if (pair) {
    announce(pair, hooks.note)
    const { target, connection, providerOrigin, keys, fresh, close } = pair
    const subject = { endpoint, target, connection, providerOrigin, keys, fresh, model, header: headers }
    attempt = await measure({ ...subject, interrupt: hooks.interrupt })
      .catch((error: unknown): MeasureResult => {
        if (hooks.interrupt.aborted) return { ok: false, why: INTERRUPTED, requests: 0 }
        throw error
      })
      .finally(close)
  }
  const measured = attempt?.ok ? attempt.value : undefined
  const routes = pair?.connection.routes ?? []
  const known = [...(pair?.keys ?? []).flatMap((key) => key ?? []), ...headers.map(([, value]) => value)]
  const secrets = [...known, ...proxySecrets(routes)]
  const failure = attempt && !attempt.ok ? withoutSecrets(attempt.why, secrets) : null
  const failedStreams = measured && streamFailures(measured.streams)
  const rules = RULES.map((rule) => askRule(rule, { file, report, measured, failure }))
  const found = (of: Severity): number => rules.filter((rule) => rule.severity === of).length
  const result: DoctorResult = {
    schema: DOCTOR_SCHEMA,
    kt: { version: ktVersion },
    config: file ? { path: file.path, kind: file.kind } : null,
    report: options.report === undefined ? null : { path: options.report },
    measured:
      pair && attempt
        ? {
            url: pair.target.whole.shownUrl,
            endpoint,
            providerUrl: pair.providerOrigin ?? null,
            requests: attempt.ok ? attempt.value.requests : attempt.requests,
            failure,
            ...(failedStreams
              ? { streams: { ...failedStreams, why: withoutSecrets(failedStreams.why, secrets) } }
              : {}),
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
  return { result, exitCode: chooseExitCode(result, hooks.interrupt.aborted) }
}

function chooseExitCode({ rules, severity: from, measured }: DoctorResult, stopped: boolean): ExitCode {
  if (stopped) return EXIT.interrupted
  const rank = (severity: Severity | null): number => (severity === null ? -1 : SEVERITIES.indexOf(severity))
  if (rules.some(({ severity }) => rank(severity) >= rank(from))) return EXIT.breached
  const { failure = null, streams } = measured ?? {}
  // What most streams could not show was not examined.
  const untold = streams !== undefined && streams.failed > streams.asked / 2
  return failure === null && !untold ? EXIT.passed : EXIT.inconclusive
}

/** The evidence of an examination. */
interface Gathered {
  file: GatewayFile | undefined
  report: Run | undefined
  measured: Measurements | undefined
  /** Why there is no measurement, though one was asked for. */
  failure: string | null
}

/** The opinions of `rule`, one for each kind of evidence there is, and what they come to together. */
export function askRule(rule: DoctorRule, { file, report, measured, failure }: Gathered): RuleResult {
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
  if (file) add('config', judgeConfig(rule, file), file.kind)
  // A patch is no help where the config says so already.
  const kind = opinions[0]?.status === 'fine' ? undefined : file?.kind
  if (report) add('report', judgeReport(rule, report), kind)
  if (measured) add('measurement', judgeMeasured(rule, measured), kind)
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

function judgeMeasured({ measure: look, needs }: DoctorRule, measured: Measurements): Opinion {
  if (typeof look === 'string') return notChecked(look)
  const lacking = needs === 'streams' ? noStreams(measured) : undefined
  return lacking === undefined ? look(measured) : notChecked(lacking)
}

function judgeConfig({ config }: DoctorRule, file: GatewayFile): Opinion {
  const look = config[file.kind] as ((of: GatewayFile) => Opinion) | string
  return typeof look === 'string' ? notChecked(look) : look(file)
}

function judgeReport({ report: look }: DoctorRule, report: Run): Opinion {
  if (typeof look === 'string') return notChecked(look)
  if (report.role === 'direct') return notChecked('the run went straight to the provider')
  return report.totals.sent === 0 ? notChecked('the run sent nothing') : look(report)
}
