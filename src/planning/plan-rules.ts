/** What contradicts what among the flags that every planning command shares. */
import { failure } from '../errors.ts'
import { type Rule, rulesOf } from '../parse/parse-flags.ts'
import type { DemandOptions, FigureOptions, PlanOptions } from './plan-flags.ts'
import { QUOTA_RULES } from './quota-request.ts'

/** The flags that give a demand, each of them by itself; with peaks, --rps only gives the number of requests. */
export const DEMAND_FLAGS = ['input-peak', 'output-peak', 'requests-per-day', 'users', 'trace', 'rps'] as const

/** Flags that give one demand together. */
const DEMANDS: readonly (readonly string[])[] = [
  ['input-peak', 'output-peak'],
  ['requests-per-day'],
  ['users'],
  ['trace'],
  ['rps'],
]

/** The flags of other demands, which one that is typed replaces. */
export function rivalDemands(flag: string): string[] {
  const own = DEMANDS.find((names) => names.includes(flag))
  return own ? DEMANDS.filter((names) => names !== own).flat() : []
}

/** The forms in which a demand is given, by the flags that give it. */
export type DemandForm = '--input-peak/--output-peak' | '--rps' | '--requests-per-day' | '--users' | '--trace'

const PEAKS: DemandForm = '--input-peak/--output-peak'
const RATES: readonly DemandForm[] = ['--rps', '--requests-per-day', '--users']

const EXAMPLE = 'Example: kt plan --input-peak 80M --output-peak 10M'
const FORMS = `Give --input-peak and --output-peak, --requests-per-day, --rps, --users or --trace.
${EXAMPLE}
         kt plan --requests-per-day 50k --avg-input-tokens 1500 --avg-output-tokens 800`

type FormFlags = Pick<DemandOptions, (typeof DEMAND_FLAGS)[number]>

function givenForms(options: FormFlags): DemandForm[] {
  const others = (['requests-per-day', 'users', 'trace'] as const).filter((name) => options[name] !== undefined)
  const peaks = options['input-peak'] !== undefined || options['output-peak'] !== undefined
  return [...(peaks ? [PEAKS] : []), ...others.map((name): DemandForm => `--${name}`)]
}

/** The form of the demand; undefined where there is none, or more than one. */
export function demandForm(options: FormFlags): DemandForm | undefined {
  const [form, ...others] = givenForms(options)
  if (others.length > 0) return undefined
  return form ?? (options.rps === undefined ? undefined : '--rps')
}

export function givesDemand(options: FormFlags): boolean {
  return DEMAND_FLAGS.some((name) => options[name] !== undefined)
}

const demandRule = rulesOf<DemandOptions>()
const figureRule = rulesOf<FigureOptions>()

/** A flag that has no effect in the chosen form is refused instead of ignored. */
function onlyWith(name: keyof DemandOptions, forms: readonly DemandForm[]): Rule<DemandOptions> {
  return demandRule([name, ...DEMAND_FLAGS], (options) => {
    const form = demandForm(options)
    const idle = form !== undefined && !forms.includes(form)
    return (
      idle &&
      options[name] !== undefined &&
      options[name] !== false &&
      failure(`--${name} has no effect with ${form}`, `It belongs to ${forms.join(', ')}.`)
    )
  })
}

function missing(name: string, what: string, next: string) {
  return failure(`--${name} is missing: ${what}`, next)
}

const DEMAND_RULES: readonly Rule<DemandOptions>[] = [
  demandRule(DEMAND_FLAGS, (options) => {
    const forms = givenForms(options)
    if (forms.length > 1) return failure(`the demand is said twice, by ${forms.join(' and ')}`, 'Give one of them.')
    const [form] = forms
    return (
      form !== undefined &&
      form !== PEAKS &&
      options.rps !== undefined &&
      failure(`--rps says the demand a second time, beside ${form}`, 'Give one of them.')
    )
  }),
  demandRule(
    DEMAND_FLAGS,
    (options) => !givesDemand(options) && failure('how much has to be carried is not said', FORMS),
  ),
  onlyWith('peak-multiplier', RATES),
  onlyWith('requests-per-user-hour', ['--users']),
  onlyWith('scale', ['--trace']),
  onlyWith('allow-gaps', ['--trace']),
  onlyWith('trace-columns', ['--trace']),
  ...(['workload', 'mix', 'avg-input-tokens', 'avg-output-tokens', 'avg-hidden-tokens'] as const).map((name) =>
    onlyWith(name, [...RATES, PEAKS]),
  ),
  demandRule(
    ['input-peak', 'output-peak'],
    (options) =>
      options['input-peak'] === undefined &&
      options['output-peak'] !== undefined &&
      missing('input-peak', 'the peak in input tokens per second', EXAMPLE),
  ),
  demandRule(
    ['input-peak', 'output-peak'],
    (options) =>
      options['output-peak'] === undefined &&
      options['input-peak'] !== undefined &&
      missing('output-peak', 'the peak in output tokens per second', EXAMPLE),
  ),
  demandRule(
    ['users', 'requests-per-user-hour'],
    (options) =>
      options.users !== undefined &&
      options['requests-per-user-hour'] === undefined &&
      missing(
        'requests-per-user-hour',
        'how many requests one user makes in an hour',
        'Example: --requests-per-user-hour 12',
      ),
  ),
  demandRule(
    ['workload', 'mix'],
    ({ workload, mix }) =>
      workload !== undefined &&
      mix !== undefined &&
      failure('--workload and --mix both say what a request is', 'Give one of them.'),
  ),
  // A rate says nothing of the size of a request: a plan must not take chat for it silently.
  demandRule([...DEMAND_FLAGS, 'workload', 'mix', 'avg-input-tokens', 'avg-output-tokens'], (options) => {
    const form = demandForm(options)
    const whole = options['avg-input-tokens'] !== undefined && options['avg-output-tokens'] !== undefined
    const said = options.workload !== undefined || options.mix !== undefined || whole
    return (
      form !== undefined &&
      RATES.includes(form) &&
      !said &&
      failure(
        `${form} says how many requests, not how large they are`,
        'Give --avg-input-tokens and --avg-output-tokens, or --workload, or --mix.',
      )
    )
  }),
]

/** Two flags that both say what a worker passes. */
function rivals(name: keyof FigureOptions, other: 'from-bench' | 'path'): Rule<FigureOptions> {
  return figureRule(
    [name, other],
    (options) =>
      options[name] !== undefined &&
      options[other] !== undefined &&
      failure(`--${name} and --${other} both say what a worker passes`, 'Give one of them.'),
  )
}

/** Those between flags of figures, which `kt plan check` takes too. */
export const FIGURE_RULES: readonly Rule<FigureOptions>[] = [
  figureRule(['bench-workers', 'from-bench'], ({ 'bench-workers': counts, 'from-bench': reports }) => {
    if (counts && !reports) {
      return failure('--bench-workers has no effect without --from-bench', 'Give the reports with --from-bench.')
    }
    return (
      counts !== undefined &&
      counts.length !== reports?.length &&
      failure(
        `--bench-workers names ${counts.length} runs, --from-bench ${reports?.length}`,
        'Write one count a report, in their order: --bench-workers 1,2,4,8.',
      )
    )
  }),
  ...(['output-per-worker', 'input-per-worker', 'path'] as const).map((name) => rivals(name, 'from-bench')),
  ...(['output-per-worker', 'input-per-worker', 'ratio'] as const).map((name) => rivals(name, 'path')),
  figureRule(
    ['ratio', 'input-per-worker'],
    ({ ratio, 'input-per-worker': perWorker }) =>
      ratio !== undefined &&
      perWorker !== undefined &&
      failure(
        '--ratio and --input-per-worker say the same',
        'R is input per worker over output per worker: give one of them.',
      ),
  ),
  figureRule(
    ['input-per-worker', 'output-per-worker'],
    (options) =>
      options['input-per-worker'] !== undefined &&
      options['output-per-worker'] === undefined &&
      failure(
        '--input-per-worker needs --output-per-worker',
        'Give both: one worker passes so many of each, measured apart.',
      ),
  ),
]

export const PLAN_RULES: readonly Rule<PlanOptions>[] = [...DEMAND_RULES, ...FIGURE_RULES, ...QUOTA_RULES]
