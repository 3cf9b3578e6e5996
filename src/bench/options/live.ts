/** Whether a run is shown while it goes on: no part of what is measured, nor of its report. */
import { flagGroup } from '../../parse/flags.ts'
import { parseFlags } from '../../parse/parse-flags.ts'

const { yesOrNo } = flagGroup('RESULT')

export const liveFlag = {
  live: yesOrNo(
    'show latency, rate, failures and the interval of the overhead while the run goes on [default: on a terminal ' +
      'of 60x16 or more, without --json]',
  ),
}

/** `json`: a program reads what is printed. */
export function wantsLive(flags: Readonly<Record<string, unknown>>, json: boolean): boolean {
  return parseFlags(flags, liveFlag, 'kt bench', []).live ?? !json
}
