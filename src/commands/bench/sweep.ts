import { Flags } from '@oclif/core'
import { KtCommand } from '../../command.ts'

export default class BenchSweep extends KtCommand {
  static override summary =
    'Raise the load level by level: the curve, its knee, and how far each limit of added P99 reaches.'

  static override usage = 'bench sweep [FLAGS]'

  static override examples = [
    '<%= config.bin %> bench sweep',
    '<%= config.bin %> bench sweep --rps 50,100,200,400 --step 10s',
    "<%= config.bin %> bench sweep --rps 50,100,200,400 --until 'overhead.p99<7ms'",
  ]

  static override flags = {
    rps: Flags.string({ helpValue: '50,100,200', description: 'open loop: rising rates' }),
    concurrency: Flags.string({
      helpValue: '1,2,4,8',
      description: 'closed loop: rising requests in flight [default: 1 to 64]',
    }),
    step: Flags.string({ helpValue: '5s', description: 'how long each level lasts [default: 5s]' }),
    until: Flags.string({
      helpValue: "'overhead.p99<7ms'",
      description: 'search the highest load that keeps this limit',
    }),
    url: Flags.string({ description: 'where to send; without it the embedded pair' }),
    'api-key': Flags.string({ description: 'key for the target (better: KT_API_KEY)' }),
    header: Flags.string({ description: "extra header 'Name: value'; repeatable", multiple: true }),
    endpoint: Flags.string({ description: 'chat (default), completions or embeddings' }),
    model: Flags.string({ description: '[default: gpt-4o-mini]' }),
    prompt: Flags.string({ description: "[default: 'Say hello in one word']" }),
    'max-tokens': Flags.string({ description: 'most output tokens of an answer' }),
    stream: Flags.boolean({ description: 'stream the answers' }),
    timeout: Flags.string({ description: 'for a whole request [default: 30s]' }),
    seed: Flags.string({ description: 'the same seed sends the same requests [default: 1]' }),
    'token-budget': Flags.string({ description: 'stop a level when this many tokens are spent' }),
    output: Flags.string({ description: 'write the report (kt.sweep/1) to this file' }),
    json: Flags.boolean({ description: 'print the report instead of tables' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(BenchSweep)
    const [
      { parseBenchOptions },
      { parseSweepOptions },
      { sweep },
      { renderSweep },
      { progressLine, progressLogLine, levelLine },
      { progressOnStderr },
    ] = await Promise.all([
      import('../../runner/options.ts'),
      import('../../runner/sweep-options.ts'),
      import('../../runner/sweep.ts'),
      import('../../render/sweep-table.ts'),
      import('../../render/progress.ts'),
      import('../../system/progress.ts'),
    ])
    const { rps, concurrency, step, until, ...rest } = flags
    const ask = parseSweepOptions({ rps, concurrency, step, until })
    const options = parseBenchOptions({ values: { ...rest, 'api-key': this.apiKey(flags['api-key']) } })
    const progress = progressOnStderr(!options.json)
    const { report, exitCode } = await sweep(options, ask, {
      argv: ['bench', 'sweep', ...this.argv],
      note: progress.note,
      level: (level) => options.json || progress.note(levelLine(level)),
      progress: (view) =>
        progress.show(
          (width) => progressLine(view, undefined, ask.stepMs, width),
          () => progressLogLine(view, undefined),
        ),
      interrupt: this.interruption(),
    }).finally(progress.end)
    if (options.json) this.printJson(report)
    else this.print(renderSweep(report, this.color))
    this.finish(exitCode)
  }
}
