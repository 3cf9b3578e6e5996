/**
 * What a rule is: a fault of gateways, what it costs, how it is mended, and how each kind of evidence shows it. A rule looks and
 * says; it reads no file and sends nothing. Evidence that cannot tell says why, and never passes for fine.
 */
import type { DoctorOpinion, Severity } from '../report/doctor-schema.ts'
import type { BenchReport } from '../report/schema.ts'
import type { GatewayFile, KongFile, KtFile, LiteLlmFile } from './config/read.ts'
import type { Measured } from './probe/measured.ts'

export type ConfigKind = GatewayFile['kind']
/** A part of a config, to be merged into it. */
type Patch = Record<string, unknown>

export interface Found {
  status: 'found'
  severity: Severity
  certainty: Extract<DoctorOpinion, { status: 'found' }>['certainty']
  seen: string
  /** Where it differs from the rule's. */
  cost?: string
  how?: string
  patch?: Patch
}

export type Opinion = Found | { status: 'fine'; seen: string } | { status: 'not-checked'; why: string }

export interface Rule {
  id: string
  title: string
  /** What it costs those who have it. */
  cost: string
  fix: { how: string } & Partial<Record<ConfigKind, Patch>>
  /** What a config of each kind says; a string is why it says nothing. */
  config: {
    kt: ((file: KtFile) => Opinion) | string
    kong: ((file: KongFile) => Opinion) | string
    litellm: ((file: LiteLlmFile) => Opinion) | string
  }
  report: ((report: BenchReport) => Opinion) | string
  measure: ((measured: Measured) => Opinion) | string
}

export function found(
  severity: Severity,
  certainty: Found['certainty'],
  seen: string,
  more: Partial<Found> = {},
): Found {
  return { status: 'found', severity, certainty, seen, ...more }
}

export function fine(seen: string): Opinion {
  return { status: 'fine', seen }
}

export function notChecked(why: string): Opinion {
  return { status: 'not-checked', why }
}

/** A rule that no file shows. */
export function onlyMeasured(why: string): Rule['config'] {
  return { kt: why, kong: why, litellm: why }
}
