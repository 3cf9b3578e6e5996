/** `kt doctor`, whole: gathers the evidence that was named (a config, a report, a gateway to measure) and asks every rule about it. */
import { stringify } from 'yaml'
import { z } from 'zod'
import { gatewayConfigSchema } from '../../reference-gateway/config.ts'
import { type Target, targetOf } from '../client/target.ts'
import { EXIT, type ExitCode, UserError } from '../errors.ts'
import { parseWith } from '../input/file.ts'
import { isProviderItself } from '../overhead/provider-itself.ts'
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
import { header } from '../runner/options.ts'
import { ktVersion } from '../system/package-info.ts'
import { DEFAULT_MODEL } from '../workload/choose.ts'
import { type GatewayFile, readGatewayFile } from './config/read.ts'
import { MOST_REQUESTS, measure, TOKENS } from './probe/measure.ts'
import type { Measured } from './probe/measured.ts'
import { type ConfigKind, notChecked, type Opinion, type Rule } from './rule.ts'
import { RULES } from './rules.ts'
import { runFromConfig } from './run.ts'

/** As the command takes it; undefined where the user said nothing. */
export interface DoctorRequest {
  config?: string | undefined
  report?: string | undefined
  url?: string | undefined
  'provider-url'?: string | undefined
  'api-key'?: string | undefined
  'other-api-key'?: string | undefined
  header?: readonly string[] | undefined
  model?: string | undefined
  run?: boolean | undefined
  severity?: Severity | undefined
}

export interface DoctorHooks {
  /** Lines for a person, while it happens. */
  note(line: string): void
  interrupt: AbortSignal
}

export interface Diagnosis {
  result: DoctorResult
  exitCode: ExitCode
}

type Attempt = Awaited<ReturnType<typeof measure>>

interface Place {
  target: Target
  providerOrigin: string | undefined
  keys: readonly [string | undefined, string | undefined]
  fresh: boolean
  close(): Promise<void>
}

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
  const failure = attempt && 'failure' in attempt ? attempt.failure : null
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

function refuse({ config, report, url, run, 'provider-url': provider }: DoctorRequest): void {
  if (config === undefined && report === undefined && url === undefined) {
    throw new UserError(
      'there is nothing to examine',
      'Give a config (kt doctor gateway.yaml), a report (--report r.json) or a gateway (--url http://…).',
    )
  }
  if (run && url !== undefined)
    throw new UserError('--run starts a gateway of its own: --url names another', 'Leave one of them out.')
  if (run && config === undefined)
    throw new UserError('--run needs a config to start', 'Give one: kt doctor gateway.yaml --run')
  if (provider !== undefined && url === undefined) {
    throw new UserError('--provider-url names the provider behind --url', 'Give --url too.')
  }
}

function headersOf(given: readonly string[] = []): (readonly [string, string])[] {
  return given.map((text) => parseWith(text, z.string().pipe(header), '--header', "header of the form 'Name: value'"))
}

/** Where to measure, if anywhere. */
async function openPlace(
  request: DoctorRequest,
  file: GatewayFile | undefined,
  hooks: DoctorHooks,
): Promise<Place | undefined> {
  const { url, 'provider-url': providerUrl, 'api-key': key, 'other-api-key': other } = request
  if (request.run) {
    if (file?.kind !== 'kt') {
      throw new UserError(
        `--run starts the reference gateway: ${request.config} is of another`,
        'Start that gateway, and name it with --url.',
      )
    }
    const { clientKeys = [] } = parseWith(file.raw, gatewayConfigSchema(process.env), file.path, 'gateway config')
    const pair = await runFromConfig(file, hooks.note)
    const own = [clientKeys[0]?.value, clientKeys.find(({ tenant }) => tenant !== clientKeys[0]?.tenant)?.value]
    return {
      target: targetOf(pair.gatewayUrl, 'chat'),
      providerOrigin: pair.providerUrl,
      keys: [key ?? own[0] ?? STAND_IN[0], other ?? own[1] ?? STAND_IN[1]],
      fresh: true,
      close: pair.close,
    }
  }
  if (url === undefined) return undefined
  const target = targetOf(url, 'chat')
  if (await isProviderItself(target.origin)) {
    throw new UserError(
      `${target.origin} is kt's simulated provider itself, not a gateway`,
      'Name the gateway with --url, and this one with --provider-url.',
    )
  }
  const providerOrigin = await findProvider(providerUrl, file)
  return {
    target,
    providerOrigin,
    // A real provider would refuse a made-up key, and all would fail of it.
    keys: [key ?? (providerOrigin === undefined ? undefined : STAND_IN[0]), other ?? STAND_IN[1]],
    fresh: false,
    close: async () => {},
  }
}

const STAND_IN = ['kt-doctor-one', 'kt-doctor-two'] as const

/** The simulated provider that was named, or that the config names, where one answers there. */
async function findProvider(given: string | undefined, file: GatewayFile | undefined): Promise<string | undefined> {
  if (given !== undefined) {
    const { origin } = targetOf(given, 'chat')
    if (await isProviderItself(origin)) return origin
    throw new UserError(
      `no simulated provider answers at ${origin}`,
      "Start one with 'kt provider start', and let the gateway ask it.",
    )
  }
  if (file?.kind !== 'kt') return undefined
  for (const { base_url: base } of file.config.gateway.providers) {
    if (!targetOf(base.origin, 'chat').isPublic && (await isProviderItself(base.origin))) return base.origin
  }
  return undefined
}

function announce({ isPublic, origin }: Target, note: (line: string) => void): void {
  if (!isPublic) return
  note(`${new URL(origin).host} is a public address. kt doctor sends up to ${MOST_REQUESTS} requests,`)
  note(`each for up to ${TOKENS} tokens.`)
}

interface Gathered {
  file: GatewayFile | undefined
  report: BenchReport | undefined
  measured: Measured | undefined
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
