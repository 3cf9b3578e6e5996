/**
 * What a bench is judged by: budgets, thresholds, SLOs, the growth against an old gateway. The flags with their types,
 * and what contradicts what.
 */
import { z } from 'zod'
import { failure } from '../../errors.ts'
import { type FlagValues, flagGroup } from '../../parse/flags.ts'
import { type Faults, type Given, rulesOf } from '../../parse/parse-flags.ts'
import { limitMs } from '../../parse/quantity.ts'
import { FLUSH_INTERVAL_MS } from '../../verdict/judge-stream.ts'
import { namesTwoSloFiles } from '../../verdict/slo-file.ts'
import { maxRegression, threshold } from '../../verdict/thresholds.ts'
import type { LoadOptions } from './load.ts'
import { ARM_FLAGS, hasOneArm, needsTwoArms, type TargetFlagValues } from './target.ts'

const { text, texts, yesOrNo } = flagGroup('RESULT')

export const verdictFlags = {
  budget: text(
    limitMs.optional(),
    "gate on P99 overhead, such as '7ms', and in streams on what is added to tokens: exit 3 above it, 4 when " +
      'inconclusive',
  ),
  'budget-hold': text(
    limitMs.optional(),
    "gate on how long tokens of a stream are held back, the gateway's flush interval [default: with --budget " +
      `${FLUSH_INTERVAL_MS}ms]`,
    { helpValue: '100ms' },
  ),
  'budget-file': text(
    z.string().optional(),
    'gate on the budgets of this file: the total, and each part that the gateway reports',
    { helpValue: 'file.yaml' },
  ),
  threshold: texts(
    z.array(threshold).default([]),
    "gate on this threshold too, such as 'errors.rate<0.1%'; repeatable",
  ),
  'max-regression': text(
    maxRegression.optional(),
    'with an old gateway in --baseline-url: gate on the growth of P99; of a duration and a share the larger holds',
    { helpValue: '0.5ms,10%' },
  ),
  slo: text(
    z.string().optional(),
    "gate on the SLO of this category and use its timeout; 'auto': each request by its own; or a file, with 'auto'",
    { helpValue: 'chat-short' },
  ),
  'slo-file': text(z.string().optional(), 'file of SLO categories [default: slo, as kt profiles show slo prints it]', {
    helpValue: 'file.yaml',
  }),
  noise: text(
    z.string().optional(),
    "report of an A/A run on this rig, whose noise is shown beside the verdict [default: the run's own blocks]",
    { helpValue: 'aa.json' },
  ),
  floor: yesOrNo(
    'measure the floor (the error of kt itself) after a run without a direct arm [default: with --budget, ' +
      'or from 5s on]',
  ),
}

export type VerdictOptions = FlagValues<typeof verdictFlags>

/** The flags that ask for a verdict, which decides the exit code. */
export const JUDGING_FLAGS = [
  'budget',
  'budget-hold',
  'budget-file',
  'slo',
  'slo-file',
  'threshold',
  'max-regression',
] as const

export function isJudged({ threshold: thresholds, ...given }: Pick<VerdictOptions, (typeof JUDGING_FLAGS)[number]>) {
  return thresholds.length > 0 || Object.values(given).some((value) => value !== undefined)
}

const rule = rulesOf<VerdictOptions & LoadOptions & TargetFlagValues>()

const RULES = [
  rule(['slo', 'slo-file'], namesTwoSloFiles),
  rule(
    ['max-regression', ...ARM_FLAGS],
    (given) => given['max-regression'] !== undefined && hasOneArm(given) && needsTwoArms('--max-regression'),
  ),
  rule(
    ['arm', 'slo', 'slo-file'],
    ({ arm, slo, 'slo-file': file }) =>
      arm.length > 1 &&
      (slo !== undefined || file !== undefined) &&
      failure(
        '--slo judges one gateway, and --arm names several',
        "Give its limits to all of them, such as --threshold 'ttft.p99<2s', or name one --arm.",
      ),
  ),
  rule(
    ['aa', 'noise'],
    ({ aa, noise }) => aa && noise !== undefined && failure('--aa measures the noise itself', 'Leave --noise out.'),
  ),
  rule(
    ['until-decided', 'aa', ...JUDGING_FLAGS],
    ({ 'until-decided': untilDecided, aa, ...judging }) =>
      untilDecided &&
      !aa &&
      !isJudged(judging) &&
      failure(
        '--until-decided needs something to decide',
        "Give --budget 7ms, --threshold 'overhead.p99<7ms' or --slo.",
      ),
  ),
]

export function readVerdict(given: Given, target: TargetFlagValues, load: LoadOptions, faults: Faults): VerdictOptions {
  const values = faults.read(verdictFlags, given)
  faults.check({ ...target, ...load, ...values }, RULES)
  return values
}
