import { Flags } from '@oclif/core'
import { bench } from '../../bench/bench.ts'
import { embeddedFlags, pacingFlags, requestFlags, targetFlags } from '../../bench/bench-flags.ts'
import { withConfig } from '../../bench/config.ts'
import { OPTION_NAMES } from '../../bench/option-schema.ts'
import { parseBenchOptions } from '../../bench/options.ts'
import { KtCommand } from '../../command.ts'
import { benchProperties, renderBenchMarkdown } from '../../output/bench-markdown.ts'
import { renderBench } from '../../output/bench-table.ts'
import * as ci from '../../output/ci.ts'
import { ciFlags } from '../../output/ci.ts'
import { progressLine, progressLogLine } from '../../output/progress.ts'
import { stdoutFlag } from '../../report/write-report.ts'
import { progressOnStderr } from '../../system/progress.ts'

export default class Bench extends KtCommand {
  static override summary =
    'Measure an AI endpoint: latency, tokens, throughput, and the overhead of the gateway in front of it.'

  static override description =
    `Without --url the command starts its own simulated provider and reference gateway, and measures through the gateway
and directly, alternating between both. The API key comes from --api-key, KT_API_KEY or OPENAI_API_KEY and is never
shown or stored.`

  static override examples = [
    '<%= config.bin %> bench',
    '<%= config.bin %> bench --stream --measure-ttfb',
    '<%= config.bin %> bench --url http://localhost:41002/v1/chat/completions --requests 100 --concurrency 10 ' +
      '--model gpt-4o-mini --prompt "Say hello in one word"',
    '<%= config.bin %> bench --rps 100 --duration 60s --model gpt-4o-mini',
  ]

  static override flags = {
    ...targetFlags,
    ...requestFlags,
    ...pacingFlags,
    ...embeddedFlags,
    requests: Flags.string({
      description: 'number of requests [default: 100; 1,000 on each arm of the embedded pair]',
      helpGroup: 'LOAD',
    }),
    duration: Flags.string({ description: "duration of the run, such as '60s'", helpGroup: 'LOAD' }),
    concurrency: Flags.string({ description: 'closed loop: requests in flight [default: 10]', helpGroup: 'LOAD' }),
    rps: Flags.string({
      description: 'open loop: requests per second; latency counts from the intended time',
      helpGroup: 'LOAD',
    }),
    stages: Flags.string({
      description: "linear ramps from level to level: '10rps@30s,200rps@60s', or in flight: '5@30s,50@60s'",
      helpGroup: 'LOAD',
    }),
    'measure-ttfb': Flags.boolean({
      description: 'show the time to first byte without --stream too',
      helpGroup: 'RESULT',
    }),
    samples: Flags.string({
      description: "write a line for each request (NDJSON) to this file; '-': stdout",
      helpGroup: 'RESULT',
    }),
    output: Flags.string({
      description: "write the report (kt.bench/1) to this file; '-': stdout",
      helpGroup: 'RESULT',
    }),
    json: Flags.boolean({ description: 'print the report instead of tables', helpGroup: 'RESULT' }),
    'baseline-url': Flags.string({
      description: 'baseline measured alternately with --url: the provider itself, or the old gateway',
      helpGroup: 'TARGET',
    }),
    pairing: Flags.string({
      helpValue: 'block',
      description:
        "how two arms alternate: 'block', or 'request' (pairs of requests in random order) where requests are " +
        'slow or cost money [default: block]',
      helpGroup: 'LOAD',
    }),
    'until-decided': Flags.boolean({
      description:
        'judge after 10, 20, 40 and 80 pairs of blocks (interim analyses) and end with the first PASS or ' +
        'FAIL; --requests and --duration are upper limits [default: 4,000 requests on each arm]',
      helpGroup: 'RESULT',
    }),
    aa: Flags.boolean({
      description: 'A/A run: measure one address against itself, which gives the noise of the rig',
      helpGroup: 'RESULT',
    }),
    'max-regression': Flags.string({
      helpValue: '0.5ms,10%',
      description:
        'with an old gateway in --baseline-url: gate on the growth of P99; of a duration and a share the larger holds',
      helpGroup: 'RESULT',
    }),
    noise: Flags.string({
      helpValue: 'aa.json',
      description:
        "report of an A/A run on this rig, whose noise is shown beside the verdict [default: the run's own blocks]",
      helpGroup: 'RESULT',
    }),
    split: Flags.boolean({ description: 'also write each of the two arms as its own report', helpGroup: 'RESULT' }),
    threshold: Flags.string({
      description: "gate on this threshold too, such as 'errors.rate<0.1%'; repeatable",
      multiple: true,
      helpGroup: 'RESULT',
    }),
    slo: Flags.string({
      helpValue: 'chat-short',
      description: "gate on the SLO of this category and use its timeout; 'auto': each request by its own category",
      helpGroup: 'RESULT',
    }),
    'slo-file': Flags.string({
      description: 'file of SLO categories [default: profiles/slo.yaml]',
      helpGroup: 'RESULT',
    }),
    floor: Flags.boolean({
      description:
        'measure the floor (the error of kt itself) after a run without a direct arm [default: with --budget, ' +
        'or from 5s on]',
      allowNo: true,
      helpGroup: 'RESULT',
    }),
    budget: Flags.string({
      description: "gate on P99 overhead, such as '7ms': exit 3 above it, 4 when inconclusive",
      helpGroup: 'RESULT',
    }),
    budgets: Flags.string({
      description:
        'gate on this file: the total, and each part that the gateway reports [shown without it: ' +
        'profiles/budgets.yaml]',
      helpGroup: 'RESULT',
    }),
    ...ciFlags,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Bench)
    const { config, ...typed } = flags
    const given = withConfig(typed, config, OPTION_NAMES)
    given.values['api-key'] ??= this.apiKey(undefined)
    const options = parseBenchOptions(given)
    const { output, samples, junit, markdown, json } = options
    const files = { '--output': output, '--samples': samples, '--junit': junit, '--markdown': markdown }
    const taken = stdoutFlag(files, json)
    const progress = progressOnStderr(!json)
    const hurry = new AbortController()
    const result = await bench(options, {
      argv: ['bench', ...this.argv],
      note: progress.note,
      progress: (view, total) =>
        progress.show(
          (width) => progressLine(view, total, options.duration, width),
          () => progressLogLine(view, total),
        ),
      interrupt: this.interruption(hurry),
      hurry: hurry.signal,
    }).finally(progress.end)
    const { report, verdict } = result
    this.show({ json, taken }, report, (color) =>
      renderBench(report, { ...result, color, showTtfb: options['measure-ttfb'] }),
    )
    await ci.publish(options, {
      name: 'kt bench',
      gate: verdict,
      properties: benchProperties(report),
      timestamp: report.startedAt,
      markdown: () => renderBenchMarkdown(report, verdict),
    })
    this.finish(result.exitCode)
  }
}
