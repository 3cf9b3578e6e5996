/** `kt doctor`, whole: gathers the evidence that was named (a config, a report, a gateway to measure) and asks every rule about it. */
import { z } from 'zod'
import { header } from '../bench/option-schema.ts'
import { withoutSecrets } from '../bench/secrets.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { parseWith } from '../parse/file.ts'
import {
  DOCTOR_SCHEMA,
  type DoctorResult,
  type RuleResult,
  SEVERITIES,
  type Severity,
} from '../report/doctor-schema.ts'
import { readReport } from '../report/read.ts'
import { ktVersion } from '../system/package-info.ts'
import { DEFAULT_MODEL } from '../workload/choose.ts'
import { askRule } from './ask-rule.ts'
import { readGatewayFile } from './config/read.ts'
import { announce, openPlace } from './place.ts'
import { measure } from './probe/measure.ts'
import { type DoctorHooks, type DoctorRequest, refuse } from './request.ts'
import { RULES } from './rules.ts'

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
