/** zod type of a token count or its distribution, as flags and YAML give it: 500, 'lognormal(6.6,0.98)'. */
import { parsedBy } from '../parse/quantity.ts'
import { parseDistribution } from './distribution.ts'

export const tokenDistribution = parsedBy(parseDistribution, "tokens such as 500 or 'lognormal(6.6,0.98)'")
