/** From what a user asks for (flags, a profile, files) to the workload of a run. */

import { UserError } from '../errors.ts'
import { formatNumber } from '../units.ts'
import type { BodyChanges, MaxTokensField } from '../wire/body-changes.ts'
import { type ApiEndpoint, endpointOf } from '../wire/endpoints.ts'
import { generatedTemplate, promptTemplate, type RequestShape } from '../wire/template.ts'
import { DEFAULT_TOOL_RESULT } from './conversations/conversation.ts'
import { readConversations } from './conversations/from-dataset.ts'
import type { DatasetOptions } from './datasets/read.ts'
import { readRequests } from './datasets/requests.ts'
import type { TokenDistribution } from './distribution.ts'
import { givenRequests } from './given.ts'
import { mixModels } from './models.ts'
import { readWorkloadProfile, type WorkloadProfile } from './profile.ts'
import { fileName, readBody, readRaw } from './prompts.ts'
import { POOL } from './repeats.ts'
import { createRing } from './traces/ring.ts'
import type { ModelShare, TextSource, WorkloadPart, WorkloadSpec } from './workload.ts'

/** The flags that say what is sent; undefined where the user said nothing. */
export interface WorkloadOptions {
  endpoint?: ApiEndpoint | undefined
  /** Several by weight. */
  model?: readonly ModelShare[] | undefined
  stream?: boolean | undefined
  seed: number
  prompt?: string | undefined
  prompts?: string | undefined
  'dataset-format'?: DatasetOptions['format']
  'dataset-columns'?: DatasetOptions['columns']
  'dataset-sample'?: number | undefined
  /** Requests go on as conversations. */
  converses?: boolean | undefined
  /** Each row of the dataset is a conversation, and not one request. */
  playsRows?: boolean | undefined
  /** The file whose requests are replayed. */
  trace?: string | undefined
  body?: string | undefined
  workload?: string | undefined
  'input-tokens'?: TokenDistribution | undefined
  'output-tokens'?: TokenDistribution | undefined
  'max-tokens'?: number | undefined
  'shared-prefix-tokens'?: number | undefined
  'shared-prefixes'?: number | undefined
  'max-tokens-field'?: MaxTokensField | undefined
  'cache-hits'?: number | undefined
  /** What is changed in the requests that kt writes. */
  changes?: BodyChanges | undefined
}

export const DEFAULT_MODEL = 'gpt-4o-mini'
const DEFAULT_PROMPT = 'Say hello in one word'
/** Each of them says what the text of the requests is. */
export const TEXT_OPTIONS = ['prompt', 'prompts', 'body', 'input-tokens', 'workload', 'trace'] as const

export function chooseWorkload(options: WorkloadOptions): WorkloadSpec {
  const { changes = {}, 'max-tokens-field': maxTokensField, 'cache-hits': share } = options
  const models = options.model ?? []
  const written =
    models.length > 0
      ? mixModels(models, (model) => writeWorkload({ ...options, model }))
      : writeWorkload({ ...options, model: undefined })
  return {
    ...written,
    ...(maxTokensField === undefined ? {} : { maxTokensField }),
    // A body of any API has no place for one.
    ...(changes.nonce === false || written.endpoint === 'raw' ? { nonce: false } : {}),
    ...(share === undefined ? {} : { repeats: { share, pool: POOL } }),
  }
}

type OneModel = Omit<WorkloadOptions, 'model'> & { model: string | undefined }

function writeWorkload(options: OneModel): WorkloadSpec {
  const profile = options.workload === undefined ? undefined : readWorkloadProfile(options.workload)
  const endpoint = endpointFor(options.endpoint, profile?.endpoint)
  const isTranslated = options.converses && endpoint !== 'chat' && canConverse(endpoint)
  if (!isTranslated) return workloadOf(endpoint, profile, options)
  return { ...workloadOf('chat', profile, options), endpoint, asChat: true }
}

/** A profile of one API that takes messages is one of any other that does. */
function endpointFor(asked: ApiEndpoint | undefined, own: ApiEndpoint | undefined): ApiEndpoint {
  if (own === undefined || asked === undefined) return own ?? asked ?? 'chat'
  return canConverse(own) && canConverse(asked) ? asked : own
}

/** Whether its requests may be conversations. */
export function canConverse(endpoint: ApiEndpoint): boolean {
  return endpointOf(endpoint).format?.buildConversation !== undefined
}

/** Requests that are written as those of `endpoint`. */
function workloadOf(endpoint: ApiEndpoint, profile: WorkloadProfile | undefined, options: OneModel): WorkloadSpec {
  if (profile) return profileWorkload({ ...profile, endpoint }, options)
  if (options.body !== undefined) return bodyWorkload(options.body, endpoint, options)
  if (endpoint === 'raw') throw new UserError('--endpoint raw sends a file as it is', 'Give --body FILE.')
  const { changes } = options
  const shape = { endpoint, model: options.model ?? DEFAULT_MODEL, stream: options.stream ?? false, changes }
  if (options.prompts !== undefined) return datasetWorkload(options.prompts, shape, options)
  const { name, source } = chooseText(options, shape)
  return {
    name,
    ...specOf(shape),
    seed: options.seed,
    parts: [{ weight: 1, stream: shape.stream, source, ...outputOptions(endpoint, options) }],
  }
}

/** What a workload keeps of the shape of its requests: their changes are in the requests already. */
function specOf({ endpoint, model, stream }: RequestShape): Pick<WorkloadSpec, 'endpoint' | 'model' | 'stream'> {
  return { endpoint, model, stream }
}

function chooseText(options: OneModel, shape: RequestShape): { name: string; source: TextSource } {
  const { prompt = DEFAULT_PROMPT, trace } = options
  if (trace !== undefined) {
    const source: TextSource = { kind: 'trace', around: generatedTemplate(shape, false), ring: createRing() }
    return { name: fileName(trace), source }
  }
  const inputTokens = options['input-tokens']
  if (inputTokens) {
    const prefixTokens = options['shared-prefix-tokens'] ?? 0
    const prefixes = prefixTokens > 0 ? (options['shared-prefixes'] ?? 1) : 0
    const around = generatedTemplate(shape, prefixes > 0)
    return { name: 'input-tokens', source: { kind: 'generated', around, inputTokens, prefixTokens, prefixes } }
  }
  return { name: 'prompt', source: givenRequests([promptTemplate(shape, prompt)]) }
}

function datasetWorkload(path: string, shape: RequestShape, options: OneModel): WorkloadSpec {
  const how = {
    format: options['dataset-format'],
    columns: options['dataset-columns'],
    sample: options['dataset-sample'],
    seed: options.seed,
    sentTo: options.endpoint,
  }
  const isModelAsked = options.model !== undefined
  const conversations = options.playsRows ? readConversations(path, shape, isModelAsked, how) : undefined
  const { source, models, leftOut } = conversations ?? readRequests(path, shape, isModelAsked, how)
  return {
    name: fileName(path),
    ...specOf(shape),
    model: models.join(', '),
    seed: options.seed,
    parts: [{ weight: 1, stream: shape.stream, source, ...outputOptions(shape.endpoint, options) }],
    ...(conversations && {
      conversations: { turns: { kind: 'given', sessions: conversations.sessions }, toolResult: DEFAULT_TOOL_RESULT },
    }),
    ...(leftOut > 0 && {
      notes: [
        leftOut === 1
          ? `${path}: 1 row asks nothing and is left out`
          : `${path}: ${formatNumber(leftOut)} rows ask nothing and are left out`,
      ],
    }),
  }
}

/** The profile as it stands, but for what flags say: model, streamed or not, output tokens. */
function profileWorkload({ name, endpoint, parts }: WorkloadProfile, options: OneModel): WorkloadSpec {
  const model = options.model ?? DEFAULT_MODEL
  const built = parts.map((part): WorkloadPart => {
    const stream = options.stream ?? part.stream
    const { tokens = 0, count = 0 } = part.sharedPrefix ?? {}
    const around = generatedTemplate({ endpoint, model, stream, changes: options.changes }, count > 0)
    const { inputTokens } = part
    return {
      weight: part.weight,
      stream,
      source: { kind: 'generated', around, inputTokens, prefixTokens: tokens, prefixes: count },
      outputTokens: options['output-tokens'] ?? part.outputTokens,
      maxTokens: options['max-tokens'],
      usualTokens: endpointOf(endpoint).usualLimit,
      headers: part.headers,
    }
  })
  return { name, endpoint, model, stream: built.some(({ stream }) => stream), seed: options.seed, parts: built }
}

function bodyWorkload(path: string, endpoint: ApiEndpoint, options: OneModel): WorkloadSpec {
  const asked = {
    ...{ endpoint, model: options.model ?? (endpointOf(endpoint).inPath ? DEFAULT_MODEL : undefined) },
    // It is sent as it stands, but for the nonce.
    ...{ stream: options.stream, changes: { nonce: options.changes?.nonce } },
  }
  const isRaw = endpoint === 'raw'
  const { template, model, stream } = isRaw ? readRaw(path) : readBody(path, asked)
  const source = givenRequests([template])
  return {
    ...{ name: fileName(path), endpoint, model, stream, seed: options.seed },
    ...(isRaw && { nonce: false }),
    parts: [{ weight: 1, stream, source }],
  }
}

function outputOptions(
  endpoint: ApiEndpoint,
  options: OneModel,
): Pick<WorkloadPart, 'outputTokens' | 'maxTokens' | 'usualTokens'> {
  const { usualLimit: usualTokens } = endpointOf(endpoint)
  return { outputTokens: options['output-tokens'], maxTokens: options['max-tokens'], usualTokens }
}
