/**
 * What a user changes in the requests that kt writes: members of the body, the names of members that targets do not
 * agree on, what stands beside the prompt, and the nonce. The flags with their types, and what contradicts what.
 */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { failure, type Result, reasonOf, success } from '../../errors.ts'
import { type FlagValues, flagGroup, oneOf } from '../../parse/flags.ts'
import { type Faults, rulesOf } from '../../parse/parse-flags.ts'
import { parsedBy, positiveCount, share } from '../../parse/quantity.ts'
import { type BodyChanges, MAX_TOKENS_FIELDS, mergeDeep } from '../../wire/body-changes.ts'
import { endpointOf } from '../../wire/endpoints.ts'
import { asObject, type JsonObject } from '../../wire/json.ts'
import { imageUrl, responseFormat, sizePair, toolDefinitions } from '../../workload/attachments.ts'
import { asksForTokens, type WorkloadSpec } from '../../workload/workload.ts'

const { text, yesOrNo } = flagGroup('REQUEST')

/** JSON, or `@file` that holds it; in a config file also the members themselves. */
const jsonObject = z
  .union([z.string(), z.record(z.string(), z.unknown())], { error: 'expected a JSON object, or @FILE' })
  .transform((given, context): JsonObject => {
    const read = typeof given === 'string' ? readJson(given) : success(given)
    if (read.ok) return read.value
    context.addIssue({ code: 'custom', message: read.why, params: { next: read.next } })
    return z.NEVER
  })

const WANTED = `Give a JSON object such as '{"temperature":0}', or @FILE that holds one.`

function readJson(given: string): Result<JsonObject> {
  const path = given.startsWith('@') ? given.slice(1) : undefined
  const place = path === undefined ? '' : `${path}: `
  try {
    const object = asObject(JSON.parse(path === undefined ? given : readFileSync(path, 'utf8')))
    return object ? success(object) : failure(`${place}must be a JSON object`, WANTED)
  } catch (error) {
    return failure(place + reasonOf(error).replaceAll(/\s+/g, ' '), WANTED)
  }
}

/** A JSON object in a file; in a config file also its members. */
const jsonFile = z
  .union([z.string(), z.record(z.string(), z.unknown())], { error: 'expected a file' })
  .transform((given) => (typeof given === 'string' ? `@${given}` : given))
  .pipe(jsonObject)

const MOST_PIXELS = 4_096 * 4_096
const MOST_IMAGES = 100
const MOST_TOKENS = 1_000_000

export const bodyFlags = {
  'extra-body': text(
    jsonObject.optional(),
    'JSON object, or @FILE, that is merged deep into the body of every request',
    { example: `'{"temperature":0}'` },
  ),
  image: text(
    parsedBy((given) => sizePair(given, "a size in pixels such as '512x512'", MOST_PIXELS)).optional(),
    'chat: an image of this size beside each prompt, as a PNG in a data URL',
    { example: '512x512' },
  ),
  images: text(positiveCount.optional(), 'number of images of --image in each request [default: 1]'),
  tools: text(
    parsedBy((given) => sizePair(given, "a number of tools and their tokens such as '8x400'", MOST_TOKENS)).optional(),
    'chat: so many tools, of about so many tokens each, in every request',
    { example: '8x400' },
  ),
  'json-schema': text(
    jsonFile.optional(),
    'chat: ask for structured output by the JSON Schema in this file (response_format)',
    { helpValue: 'FILE' },
  ),
  'max-tokens-field': text(
    oneOf(MAX_TOKENS_FIELDS).optional(),
    'member that asks for output tokens: max_tokens or max_completion_tokens [default: max_tokens, unless the target ' +
      'refuses it and names the other]',
  ),
  usage: yesOrNo('ask streams for usage (stream_options), which some targets refuse [default: yes]'),
  'cache-hits': text(
    share.refine((part) => part > 0 && part < 1, 'must be above 0 and below 100%').optional(),
    'share of the requests that repeat one of a pool, sent and answered before the run, so that a cache can answer ' +
      'them: hits and misses are told apart',
    { example: '30%' },
  ),
  nonce: yesOrNo('end every prompt with a word of its own, so that no cache answers it [default: yes]'),
}

export type BodyFlagValues = FlagValues<typeof bodyFlags>

const rule = rulesOf<BodyFlagValues & { body: string | undefined; trace: unknown; turns: unknown }>()

const NOT_WITH_BODY = (['extra-body', 'max-tokens-field', 'usage', 'image', 'tools', 'json-schema'] as const).map(
  (name) =>
    rule(
      [name, 'body'],
      (given) =>
        given[name] !== undefined &&
        given.body !== undefined &&
        failure(
          `--${name === 'usage' ? 'no-usage' : name} does not go with --body, which is sent as it stands`,
          'Change the file, or leave one of them out.',
        ),
    ),
)

function areKept([width, height]: readonly [number, number], images: number): boolean {
  return images <= MOST_IMAGES && images * width * height <= MOST_PIXELS
}

export const BODY_RULES = [
  rule(
    ['images', 'image'],
    ({ images = 0, image }) =>
      images > 0 &&
      image === undefined &&
      failure('--images says how many, not how large', 'Add their size, such as --image 512x512.'),
  ),
  rule(
    ['images', 'image'],
    ({ images = 1, image: [width, height] = [0, 0] }) =>
      !areKept([width, height], images) &&
      failure('--image x --images is above 16,777,216 pixels or 100 images', 'They are kept in memory: ask for less.'),
  ),
  ...NOT_WITH_BODY,
  ...(['trace', 'turns'] as const).map((name) =>
    rule(
      ['cache-hits', name],
      (given) =>
        given['cache-hits'] !== undefined &&
        given[name] !== undefined &&
        failure(`--cache-hits does not go with --${name}`, 'Leave one of them out.'),
    ),
  ),
  rule(
    ['cache-hits', 'nonce'],
    (given) =>
      given['cache-hits'] !== undefined &&
      given.nonce === false &&
      failure('--cache-hits needs the nonce, which keeps all other requests apart', 'Leave --no-nonce out.'),
  ),
]

export function toBodyChanges({ 'extra-body': extra, usage, nonce, image, images = 1, ...own }: BodyFlagValues) {
  const { tools, 'json-schema': schema } = own
  const added = {
    ...(tools ? { tools: toolDefinitions(...tools) } : {}),
    ...(schema ? { response_format: responseFormat(schema) } : {}),
  }
  return {
    extra: tools || schema ? mergeDeep(added, extra ?? {}) : extra,
    ...{ usage, nonce },
    images: image && areKept(image, images) ? Array.from({ length: images }, (_, n) => imageUrl(...image, n)) : [],
  } satisfies BodyChanges
}

/** What --extra-body must not say, because something else says it, or because nothing could be measured then. */
export function checkExtraBody(workload: WorkloadSpec, { 'extra-body': extra }: BodyFlagValues, faults: Faults): void {
  if (!extra) return
  const refuse = (member: string, why: string, next: string): void =>
    faults.add(failure(`--extra-body sets '${member}', ${why}`, next))
  if ('model' in extra) refuse('model', 'which --model says', 'Give --model instead.')
  const { format, limit = [] } = endpointOf(workload.endpoint)
  for (const member of format?.requestMembers.slice(0, 1) ?? []) {
    if (member in extra)
      refuse(member, 'in place of the prompts of the run', 'Give --prompt or --prompts, or a whole request in --body.')
  }
  if ('stream' in extra && workload.parts.some(({ stream }) => stream !== extra.stream)) {
    refuse('stream', 'and the run is measured otherwise', 'Give --stream or --no-stream instead.')
  }
  if (workload.stream && asObject(extra.stream_options)?.include_usage === false) {
    refuse('stream_options.include_usage', 'and kt asks for usage', 'Give --no-usage instead.')
  }
  for (const member of new Set([...MAX_TOKENS_FIELDS, ...limit.slice(0, 1)])) {
    if (!(member in extra) || !asksForTokens(workload)) continue
    refuse(member, 'and the run asks for output tokens by itself', 'Give --max-tokens, or leave it out.')
  }
}
