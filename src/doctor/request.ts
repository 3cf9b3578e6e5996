/** What `kt doctor` may be asked, and which of it does not go together. */
import { UserError } from '../errors.ts'
import type { Severity } from '../report/doctor-schema.ts'

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

/** Throws a UserError where a request makes no sense. */
export function refuse({ config, report, url, run, 'provider-url': provider }: DoctorRequest): void {
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
