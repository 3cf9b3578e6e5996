/** Looks for patterns in RE2's syntax, which take linear time whatever the text. */
import { z } from 'zod'
import { checkPattern } from '../pattern/program.ts'
import { PatternRule } from '../policy/pattern-rule.ts'
import { type PolicyKind, REPLACEMENT } from '../policy/policy.ts'
import { judgeByRules } from '../policy/rules.ts'

const pattern = z.string().superRefine((source, context) => {
  const problem = checkPattern(source)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
})

const schema = z.strictObject({ patterns: z.array(pattern).min(1) })

export const regex: PolicyKind<'regex', typeof schema> = {
  name: 'regex',
  schema,
  compile: ({ patterns, replacement = REPLACEMENT }) =>
    judgeByRules(patterns.map((one) => new PatternRule(one, { replacement }))),
}
