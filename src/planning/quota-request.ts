/** The providers that a plan asks, from --providers or from the flags of a single one. */
import { z } from 'zod'
import { failure } from '../errors.ts'
import { readYaml } from '../parse/file.ts'
import { type Rule, rulesOf } from '../parse/parse-flags.ts'
import { positiveNumber } from '../parse/quantity.ts'
import type { Provider, Quota } from '../plan/quotas.ts'
import type { QuotaOptions } from './plan-flags.ts'

const SINGLE = ['quota-tpm', 'quota-itpm', 'quota-otpm', 'quota-rpm', 'accounts'] as const
const QUOTAS = ['quota-tpm', 'quota-itpm', 'quota-otpm', 'quota-rpm'] as const
const DEFAULT_RETRIES = 2

const providersSchema = z.strictObject({
  providers: z
    .array(
      z
        .strictObject({
          name: z.string(),
          share: z.number().positive(),
          accounts: z.int().positive().default(1),
          tpm: positiveNumber.optional(),
          itpm: positiveNumber.optional(),
          otpm: positiveNumber.optional(),
          rpm: positiveNumber.optional(),
        })
        .transform(
          ({ name, share, accounts, tpm, itpm, otpm, rpm }): Provider => ({
            name,
            share,
            accounts,
            limits: limitsOf(tpm, itpm, otpm, rpm),
          }),
        ),
    )
    .min(1)
    .refine((all) => Math.abs(all.reduce((sum, { share }) => sum + share, 0) - 100) < 0.5, 'shares must add up to 100')
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'a name stands there twice'),
})

const rule = rulesOf<QuotaOptions>()

export const QUOTA_RULES: readonly Rule<QuotaOptions>[] = [
  ...SINGLE.map((name) =>
    rule(
      [name, 'providers'],
      (options) =>
        options[name] !== undefined &&
        options.providers !== undefined &&
        failure(`--${name} and --providers both say what is allowed`, 'Say it in the file.'),
    ),
  ),
  ...(['accounts', 'max-tokens'] as const).map((name) =>
    rule(
      [name, 'providers', ...QUOTAS],
      (options) =>
        options[name] !== undefined &&
        options.providers === undefined &&
        QUOTAS.every((quota) => options[quota] === undefined) &&
        failure(`--${name} has no effect without a quota`, 'Give --quota-tpm, or another quota.'),
    ),
  ),
  rule(
    ['retries', 'failing'],
    ({ retries, failing }) =>
      retries !== undefined &&
      failing === undefined &&
      failure('--retries has no effect without --failing', 'Give --failing 2%.'),
  ),
]

function limitsOf(tpm?: number, itpm?: number, otpm?: number, rpm?: number): Provider['limits'] {
  return {
    ...(tpm === undefined ? {} : { 'tokens per minute': tpm }),
    ...(itpm === undefined ? {} : { 'input tokens per minute': itpm }),
    ...(otpm === undefined ? {} : { 'output tokens per minute': otpm }),
    ...(rpm === undefined ? {} : { 'requests per minute': rpm }),
  }
}

export function quotaOf(options: QuotaOptions): Quota {
  const { failing, retries = DEFAULT_RETRIES, accounts = 1 } = options
  const [tpm, itpm, otpm, rpm] = QUOTAS.map((name) => options[name])
  return {
    providers:
      options.providers === undefined
        ? [{ name: 'the provider', share: 100, accounts, limits: limitsOf(tpm, itpm, otpm, rpm) }]
        : readYaml(options.providers, providersSchema, 'file of providers').providers,
    maxTokens: options['max-tokens'],
    failing: failing === undefined ? undefined : { share: failing, retries },
  }
}
