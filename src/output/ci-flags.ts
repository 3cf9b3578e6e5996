/** The flags of every command that leaves a verdict for CI. What is done with them: src/output/ci.ts. */
import { Flags } from '@oclif/core'

export const ciFlags = {
  inconclusive: Flags.option({
    description: 'fail: exit 4 when the data cannot tell (default); warn: exit 0',
    options: ['fail', 'warn'] as const,
    helpGroup: 'CI',
  })(),
  junit: Flags.string({ description: "write the verdicts as JUnit XML to this file; '-': stdout", helpGroup: 'CI' }),
  markdown: Flags.string({
    description:
      "write verdicts and figures as Markdown to this file ('-': stdout); $GITHUB_STEP_SUMMARY gets them too",
    helpGroup: 'CI',
  }),
}
