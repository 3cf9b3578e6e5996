/**
 * The requests of a bench: what is asked, of which model, at which endpoint. The flags with their types, and what
 * contradicts what. The section is handed on as the workload that these flags and the files they name come to.
 */
import { z } from 'zod'
import { failure } from '../../errors.ts'
import { type FlagValues, flagGroup, oneOf } from '../../parse/flags.ts'
import { type Faults, type Given, rulesOf } from '../../parse/parse-flags.ts'
import { countOrZero, positiveCount } from '../../parse/quantity.ts'
import { ENDPOINTS, endpointOf } from '../../wire/endpoints.ts'
import { chooseWorkload, TEXT_OPTIONS } from '../../workload/choose.ts'
import { modelShares } from '../../workload/models.ts'
import { workloadNames } from '../../workload/profile.ts'
import { tokenDistribution } from '../../workload/token-counts.ts'
import type { WorkloadSpec } from '../../workload/workload.ts'
import { BODY_RULES, bodyFlags, checkExtraBody, toBodyChanges } from './body.ts'
import { FROM_FILE } from './conversation.ts'
import { DATASET_RULES, datasetFlags } from './dataset.ts'
import type { TargetFlagValues } from './target.ts'

const { text, yesOrNo } = flagGroup('REQUEST')
const target = flagGroup('TARGET')

const MAX_PREFIX_TOKENS = 2_000_000
const notEmpty = z.string().min(1, 'must not be empty')

export const requestFlags = {
  endpoint: target.text(oneOf(ENDPOINTS).optional(), 'API to call [default: chat]; raw sends --body to --url as it is'),
  model: text(modelShares.optional(), "model to ask for, or several by weight: 'a=3,b=1' [default: gpt-4o-mini]"),
  prompt: text(notEmpty.optional(), "prompt of every request [default: 'Say hello in one word']"),
  prompts: text(
    z.string().optional(),
    'file of prompts or conversations, sent in turn: JSON Lines, JSON, CSV or plain text, gzipped or not, or Parquet',
    { helpValue: 'FILE' },
  ),
  ...datasetFlags,
  body: text(z.string().optional(), 'JSON file with the request body, sent unchanged'),
  ...bodyFlags,
  workload: text(z.string().optional(), 'workload profile: chat, rag, code-agent, mix, ..., or a .yaml file', {
    helpValue: 'chat',
    choices: workloadNames(),
  }),
  'input-tokens': text(
    tokenDistribution.optional(),
    "generate prompts of this many tokens; a number or a distribution: 'lognormal(6.6,0.98)', normal, uniform",
    { example: '500' },
  ),
  'output-tokens': text(
    tokenDistribution.optional(),
    'output tokens to ask for; a number, or a distribution to draw from for each request',
    { example: '200' },
  ),
  'max-tokens': text(positiveCount.optional(), 'upper limit of output tokens in an answer'),
  'shared-prefix-tokens': text(
    positiveCount.optional(),
    'put a system message of this many tokens before --input-tokens',
  ),
  'shared-prefixes': text(positiveCount.optional(), 'number of different system messages [default: 1]'),
  stream: yesOrNo('stream the answers; adds TTFT, TPOT and inter-token latency'),
  seed: text(
    countOrZero.default(1),
    'seed of the generated requests; the same seed sends the same requests [default: 1]',
  ),
}

type RequestFlagValues = FlagValues<typeof requestFlags>
/** A trace and conversations say what is sent too (src/bench/options/trace.ts, conversation.ts). */
type WithTrace = RequestFlagValues & { trace: string | undefined; turns: unknown }

const rule = rulesOf<WithTrace>()

const RULES = [
  ...DATASET_RULES,
  ...BODY_RULES,
  rule(TEXT_OPTIONS, (given) => {
    const texts = TEXT_OPTIONS.filter((name) => given[name] !== undefined).map((name) => `--${name}`)
    return (
      texts.length > 1 &&
      failure(`${texts.join(' and ')} exclude each other: each says what is sent`, 'Keep one of them.')
    )
  }),
  ...(['trace', 'turns'] as const).map((name) =>
    rule(
      ['model', name],
      ({ model = [], ...given }) =>
        model.length > 1 &&
        given[name] !== undefined &&
        failure(`several models do not go with --${name}`, 'Give one --model.'),
    ),
  ),
  rule(
    ['shared-prefixes', 'shared-prefix-tokens'],
    (given) =>
      given['shared-prefixes'] !== undefined &&
      given['shared-prefix-tokens'] === undefined &&
      failure('--shared-prefixes says how many, not how long', 'Add --shared-prefix-tokens.'),
  ),
  rule(
    ['shared-prefix-tokens', 'input-tokens'],
    (given) =>
      given['shared-prefix-tokens'] !== undefined &&
      given['input-tokens'] === undefined &&
      failure('--shared-prefix-tokens goes before generated text', 'Add --input-tokens, which comes on top of it.'),
  ),
  rule(
    ['shared-prefix-tokens', 'shared-prefixes'],
    ({ 'shared-prefix-tokens': tokens = 0, 'shared-prefixes': count = 1 }) =>
      tokens * count > MAX_PREFIX_TOKENS &&
      failure(
        '--shared-prefix-tokens x --shared-prefixes is above 2,000,000 tokens',
        'All are kept in memory: ask for less.',
      ),
  ),
  ...(['output-tokens', 'max-tokens'] as const).map((name) =>
    rule(
      [name, 'body'],
      (given) =>
        given[name] !== undefined &&
        given.body !== undefined &&
        failure(`--${name} does not go with --body, which is sent as it stands`, 'Write max_tokens into the body.'),
    ),
  ),
]

/** The workload that the flags come to, or undefined where a fault keeps it from being known. */
export function readRequest(given: Given, target: TargetFlagValues, faults: Faults): WorkloadSpec | undefined {
  const { trace, turns } = given.values
  const values: WithTrace = {
    ...faults.read(requestFlags, given),
    trace: typeof trace === 'string' ? trace : undefined,
    turns,
  }
  faults.check(values, RULES)
  if (!faults.sound(...Object.keys(requestFlags))) return undefined
  const workload = faults.attempt(() =>
    chooseWorkload({
      ...values,
      ...{ converses: turns !== undefined, playsRows: turns === FROM_FILE, changes: toBodyChanges(values) },
    }),
  )
  if (workload) checkWorkload(workload, values, target, faults)
  if (workload) checkExtraBody(workload, values, faults)
  return workload
}

/** What contradicts the workload only once its file has been read: its endpoint, and whether it is streamed. */
function checkWorkload(
  { name, endpoint, stream, model, models }: WorkloadSpec,
  values: RequestFlagValues,
  target: TargetFlagValues,
  faults: Faults,
): void {
  if (values.endpoint !== undefined && values.endpoint !== endpoint) {
    faults.add(
      failure(
        `the workload ${name} goes to the ${endpoint} endpoint, but --endpoint is ${values.endpoint}`,
        'Leave --endpoint out, or choose another workload.',
      ),
    )
  }
  for (const name of ['ttft-timeout', 'idle-timeout'] as const) {
    if (target[name] !== undefined && !stream) {
      faults.add(failure(`--${name} goes with --stream`, 'Only a stream has tokens to wait for.'))
    }
  }
  const { streams, limit, inPath } = endpointOf(endpoint)
  const refuse = (name: string, next: string): void =>
    faults.add(failure(`--${name} does not go with --endpoint ${endpoint}`, next))
  if (endpoint === 'raw') {
    if (values['cache-hits'] !== undefined) refuse('cache-hits', 'All of its requests are alike: leave it out.')
    if (values.model !== undefined) refuse('model', 'The body is sent as it is: write the model into it.')
    if (faults.sound('url') && target.url === undefined) {
      faults.add(failure('--endpoint raw sends a file to an address', 'Give --url.'))
    }
  }
  if (values.stream && !streams) refuse('stream', 'Its answers are never streamed: leave --stream out.')
  for (const name of ['image', 'tools', 'json-schema'] as const) {
    if (values[name] === undefined || endpoint === 'chat') continue
    refuse(name, 'kt writes it for chat only: write it into --extra-body, in the form of that API.')
  }
  if (values['max-tokens-field'] !== undefined && endpoint !== 'chat') {
    refuse('max-tokens-field', 'Only chat has two names for it: leave it out.')
  }
  for (const name of ['output-tokens', 'max-tokens'] as const) {
    if (values[name] === undefined || limit !== undefined) continue
    refuse(name, 'Its answers have no output tokens: leave it out.')
  }
  if (inPath && !models && model.includes(', ')) {
    faults.add(
      failure(
        `the rows of ${name} name several models, but --endpoint is ${endpoint}`,
        'Its address names the model: give --model, one or several by weight.',
      ),
    )
  }
}
