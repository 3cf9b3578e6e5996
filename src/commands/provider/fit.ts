/** `kt provider fit`: a provider's profile from recorded answers. */
import * as Args from '@oclif/core/args'
import { z } from 'zod'
import { KtCommand } from '../../command.ts'
import { EXIT } from '../../errors.ts'
import { fitProvider } from '../../fit/fit-provider.ts'
import { writeProfile } from '../../fit/write-profile.ts'
import { renderFit } from '../../output/fit-table.ts'
import { flagGroup, flagsOf } from '../../parse/flags.ts'
import { parseFlags } from '../../parse/parse-flags.ts'
import { wholeNumber } from '../../parse/quantity.ts'
import { assertWritable, isStdout, writeOutput } from '../../report/write-output.ts'

const { text, toggle } = flagGroup()

const fitFlags = {
  output: text(z.string().optional(), 'write the profile to this file, for kt provider start --profile', {
    helpValue: 'profile.yaml',
  }),
  seed: text(wholeNumber, 'seed of what is drawn to judge the fit', { default: '1' }),
  json: toggle('print the fit as JSON'),
}

export default class ProviderFit extends KtCommand {
  static override summary = "Fit a provider's profile to recorded answers: its latency, its cadence, its faults."

  static override description = [
    'Reads cassettes (kt provider record) and traces that tell how long requests took (LiteLLM, Kong, Envoy AI ' +
      'Gateway, OpenTelemetry; JSON), and fits time to first token and the gap between tokens: a log-normal, or ' +
      'where that fits badly its quantiles. It prints how well they fit (Kolmogorov-Smirnov distance and its ' +
      'probability) and quantiles with 95 % intervals.',
    'Tokens of an event, events of a write, the length of answers and the shares of faults are counted. The time of ' +
      'the prompt and growth with load are within the time to first token, as they were recorded.',
  ].join('\n\n')

  static override examples = [
    '<%= config.bin %> <%= command.id %> cassette.jsonl --output profile.yaml',
    '<%= config.bin %> <%= command.id %> cassette.jsonl --json',
  ]

  static override strict = false

  static override args = {
    file: Args.string({ description: 'cassette or trace; several are taken together', required: true }),
  }

  static override flags = flagsOf(fitFlags)

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(ProviderFit)
    const { output, seed, json } = parseFlags(flags, fitFlags, 'kt provider fit')
    if (output !== undefined) assertWritable(output)
    const fit = await fitProvider(argv.map(String), seed, (line) => this.note(line))
    const write = (path: string) => writeOutput(path, writeProfile(fit))
    if (output !== undefined && isStdout(output)) return write(output)
    this.show({ json }, fit, renderFit)
    if (output === undefined) return
    const unwritten = await this.writeBeside(() => write(output))
    if (unwritten === undefined) this.note(`kt: wrote ${output}`)
    this.finish(unwritten ?? EXIT.passed)
  }
}
