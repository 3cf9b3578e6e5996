/**
 * The contract `kt.doctor/1`, what `kt doctor --json` prints: every rule with what each kind of evidence says of it.
 * A rule is `found` where any evidence shows the fault, `fine` where evidence was examined and none shows it, else
 * `not-checked`.
 */
import { z } from 'zod'
import { count, endpointField, formatName, ktVersionField } from './fields.ts'

/** Why nothing was measured, where the user ended it. */
export const INTERRUPTED = 'interrupted'

export const DOCTOR_SCHEMA = 'kt.doctor/1'

export const SEVERITIES = ['info', 'warning', 'critical'] as const

const severitySchema = z
  .enum(SEVERITIES)
  .describe(
    'critical: answers are lost, altered or reach others, or one request stalls all; ' +
      'warning: costs latency or money on every request, or hides such a cost; info: depends on the workload',
  )
const evidence = z.enum(['config', 'report', 'measurement']).describe('what was examined')
const seen = z.string().describe('what was seen')
const opinionSchema = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('found').describe('the fault is there'),
    by: evidence,
    severity: severitySchema,
    certainty: z
      .enum(['certain', 'likely', 'possible'])
      .describe('certain: read or counted; likely: measured, with one usual cause; possible: other causes fit as well'),
    seen,
    cost: z.string().describe('what it costs'),
    fix: z
      .strictObject({
        how: z.string().describe('in words'),
        patch: z
          .string()
          .nullable()
          .describe('YAML to merge into the config; null where no key of the config fixes it'),
      })
      .describe('what to do about it'),
  }),
  z.strictObject({ status: z.literal('fine').describe('it is not there'), by: evidence, seen }),
  z.strictObject({
    status: z.literal('not-checked').describe('this evidence cannot tell'),
    by: evidence,
    why: z.string().describe('why it cannot'),
  }),
])

export const doctorSchema = z
  .strictObject({
    schema: formatName(DOCTOR_SCHEMA),
    kt: z.strictObject({ version: ktVersionField }).describe('the kt that examined'),
    config: z
      .strictObject({
        path: z.string().describe('file of the config'),
        kind: z.enum(['kt', 'kong', 'litellm']).describe('whose config it is'),
      })
      .nullable()
      .describe('the config that was read; null: none'),
    report: z
      .strictObject({ path: z.string().describe('file of the report') })
      .nullable()
      .describe('the finished run that was read; null: none'),
    measured: z
      .strictObject({
        url: z.string().describe('address of the gateway'),
        endpoint: endpointField.describe('API that it was asked'),
        providerUrl: z.string().nullable().describe('the simulated provider behind it'),
        requests: count.describe('requests sent to it'),
        failure: z.string().nullable().describe('why nothing could be measured'),
        streams: z
          .strictObject({
            asked: count.describe('streams asked for'),
            failed: count.describe('of these, those that did not come whole'),
            why: z.string().describe('what most of them failed with'),
          })
          .optional()
          .describe('where streams did not come whole: how many, and why the most of them did not'),
      })
      .nullable()
      .describe('the running gateway that was asked; null: none'),
    severity: severitySchema.describe('findings of this severity or above decide the exit code'),
    summary: z
      .strictObject({
        found: z
          .strictObject({
            critical: count.describe('critical findings'),
            warning: count.describe('warnings'),
            info: count.describe('remarks'),
          })
          .describe('rules that found something, by severity'),
        fine: count.describe('rules that found nothing'),
        notChecked: count.describe('rules that could not be checked'),
      })
      .describe('how many rules came to what'),
    rules: z
      .array(
        z.strictObject({
          rule: z.string().describe('id of the rule'),
          title: z.string().describe('the fault in a few words'),
          status: z.enum(['found', 'fine', 'not-checked']).describe('of all evidence together'),
          severity: severitySchema.nullable().describe('the highest severity found'),
          opinions: z.array(opinionSchema).describe('what each kind of evidence says'),
        }),
      )
      .describe('every rule of the doctor'),
  })
  .describe('kt doctor: what is wrong with a gateway, what it costs, how to fix it')

export type Severity = z.infer<typeof severitySchema>
export type Evidence = z.infer<typeof evidence>
export type DoctorOpinion = z.infer<typeof opinionSchema>
export type DoctorResult = z.infer<typeof doctorSchema>
export type RuleResult = DoctorResult['rules'][number]
