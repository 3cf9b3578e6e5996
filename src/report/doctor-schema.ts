/**
 * The contract `kt.doctor/1`, what `kt doctor --json` prints: every rule with what each kind of evidence says of it.
 * A rule is `found` where any evidence shows the fault, `fine` where evidence was examined and none shows it, else
 * `not-checked`.
 */
import { z } from 'zod'

export const DOCTOR_SCHEMA = 'kt.doctor/1'

export const SEVERITIES = ['info', 'warning', 'critical'] as const

const severitySchema = z
  .enum(SEVERITIES)
  .describe(
    'critical: answers are lost, altered or reach others, or one request stalls all; ' +
      'warning: costs latency or money on every request, or hides such a cost; info: depends on the workload',
  )
const evidence = z.enum(['config', 'report', 'measurement'])
const opinionSchema = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('found'),
    by: evidence,
    severity: severitySchema,
    certainty: z
      .enum(['certain', 'likely', 'possible'])
      .describe('certain: read or counted; likely: measured, with one usual cause; possible: other causes fit as well'),
    seen: z.string(),
    cost: z.string(),
    fix: z.strictObject({
      how: z.string(),
      patch: z.string().nullable().describe('YAML to merge into the config; null where no key of the config fixes it'),
    }),
  }),
  z.strictObject({ status: z.literal('fine'), by: evidence, seen: z.string() }),
  z.strictObject({ status: z.literal('not-checked'), by: evidence, why: z.string() }),
])
const count = z.int().nonnegative()

export const doctorSchema = z
  .strictObject({
    schema: z.literal(DOCTOR_SCHEMA),
    kt: z.strictObject({ version: z.string() }),
    config: z.strictObject({ path: z.string(), kind: z.enum(['kt', 'kong', 'litellm']) }).nullable(),
    report: z.strictObject({ path: z.string() }).nullable(),
    measured: z
      .strictObject({
        url: z.string(),
        providerUrl: z.string().nullable().describe('the simulated provider behind it'),
        requests: count,
        failure: z.string().nullable().describe('why nothing could be measured'),
        streams: z
          .strictObject({ asked: count, failed: count, why: z.string() })
          .optional()
          .describe('where streams did not come whole: how many, and why the most of them did not'),
      })
      .nullable(),
    severity: severitySchema.describe('findings of this severity or above decide the exit code'),
    summary: z.strictObject({
      found: z.strictObject({ critical: count, warning: count, info: count }),
      fine: count,
      notChecked: count,
    }),
    rules: z.array(
      z.strictObject({
        rule: z.string(),
        title: z.string(),
        status: z.enum(['found', 'fine', 'not-checked']),
        severity: severitySchema.nullable().describe('the highest severity found'),
        opinions: z.array(opinionSchema),
      }),
    ),
  })
  .describe('kt doctor: what is wrong with a gateway, what it costs, how to fix it')

export type Severity = z.infer<typeof severitySchema>
export type Evidence = z.infer<typeof evidence>
export type DoctorOpinion = z.infer<typeof opinionSchema>
export type DoctorResult = z.infer<typeof doctorSchema>
export type RuleResult = DoctorResult['rules'][number]
