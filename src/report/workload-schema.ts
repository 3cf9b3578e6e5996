/** What a run or a sweep sent. */
import { z } from 'zod'
import { MAX_TOKENS_FIELDS } from '../wire/body-changes.ts'
import { cacheHitsSchema, modelSharesSchema } from './group-schema.ts'

export const sentWorkloadSchema = z
  .strictObject({
    name: z.string().describe('its name'),
    sha256: z.string().describe('of all that is sent: equal where two runs sent the same'),
    asked: z
      .string()
      .optional()
      .describe('SHA-256 of its texts and limits, whatever the API and the model; absent where kt reads none'),
    nonce: z.literal(false).optional().describe('no nonce ended the prompts, so that a cache may have answered'),
    models: modelSharesSchema.optional(),
    cacheHits: cacheHitsSchema.optional(),
    maxTokensField: z
      .enum(MAX_TOKENS_FIELDS)
      .optional()
      .describe('what output tokens were asked for with; absent for max_tokens where nobody named it'),
  })
  .describe('what was sent')
