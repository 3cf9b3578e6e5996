/**
 * A rule is a fault of gateways: what it costs, how it is fixed, and how each kind of evidence shows it. A rule judges
 * evidence; it reads no file and sends nothing. Evidence that cannot tell says why, and never passes for fine.
 */
import type { DoctorOpinion, Severity } from '../report/doctor-schema.ts'
import type { Run } from '../report/schema.ts'
import type { GatewayFile, KongFile, KtFile, LiteLlmFile } from './config/read.ts'
import type { Measurements } from './probe/measured.ts'

/** A fault that times show is told where chance alone would show it so in fewer examinations than this. */
export const ALARM_P = 0.005

export type ConfigKind = GatewayFile['kind']
/** A part of a config, to be merged into it. */
type Patch = Record<string, unknown>

interface FoundFault {
  status: 'found'
  severity: Severity
  certainty: Extract<DoctorOpinion, { status: 'found' }>['certainty']
  seen: string
  /** Where cost, fix or patch differ from the rule's. */
  cost?: string
  how?: string
  patch?: Patch
}

export type Opinion = FoundFault | { status: 'fine'; seen: string } | { status: 'not-checked'; why: string }

export interface DoctorRule {
  id: string
  title: string
  /** What it costs those who have it. */
  cost: string
  fix: { how: string } & Partial<Record<ConfigKind, Patch>>
  /** The opinion by a config of each kind; a string says why such a config cannot show the fault. */
  config: {
    kt: ((file: KtFile) => Opinion) | string
    kong: ((file: KongFile) => Opinion) | string
    litellm: ((file: LiteLlmFile) => Opinion) | string
  }
  /** What its measurement takes, which not every endpoint has. */
  needs?: 'streams'
  report: ((report: Run) => Opinion) | string
  measure: ((measured: Measurements) => Opinion) | string
}

export function found(
  severity: Severity,
  certainty: FoundFault['certainty'],
  seen: string,
  more: Partial<FoundFault> = {},
): FoundFault {
  return { status: 'found', severity, certainty, seen, ...more }
}

export function fine(seen: string): Opinion {
  return { status: 'fine', seen }
}

export function notChecked(why: string): Opinion {
  return { status: 'not-checked', why }
}

/** A rule that no file shows. */
export function onlyMeasured(why: string): DoctorRule['config'] {
  return { kt: why, kong: why, litellm: why }
}
