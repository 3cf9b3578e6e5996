/** zod type of a token count or its distribution, as flags and YAML give it: 500, 'lognormal(6.6,0.98)'. */
import { z } from 'zod'
import { type Distribution, parseDistribution } from './distribution.ts'

export const tokenDistribution: z.ZodType<Distribution> = z
  .union([z.string(), z.number()], { error: "expected tokens such as 500 or 'lognormal(6.6,0.98)'" })
  .transform((raw, context) => {
    const { distribution, why } = parseDistribution(String(raw))
    if (distribution) return distribution
    context.addIssue({ code: 'custom', message: why })
    return z.NEVER
  })
