import { Flags } from '@oclif/core'
import { ciFlags } from '../../ci-flags.ts'
import { KtCommand } from '../../command.ts'

export default class Bench extends KtCommand {
  static override summary =
    'Measure an AI endpoint: latency, tokens, throughput, and what the gateway in front of it adds.'

  static override description =
    `Without --url it starts its own simulated provider and reference gateway, and measures through the gateway
and directly, in turns. The API key is taken from --api-key, KT_API_KEY or OPENAI_API_KEY and is never shown or stored.`

  static override examples = [
    '<%= config.bin %> bench',
    '<%= config.bin %> bench --stream --measure-ttfb',
    '<%= config.bin %> bench --url http://localhost:41002/v1/chat/completions --requests 100 --concurrency 10 --model gpt-4o-mini --prompt "Say hello in one word"',
    '<%= config.bin %> bench --rps 100 --duration 60s --model gpt-4o-mini',
  ]

  static override flags = {
    config: Flags.string({
      helpValue: 'bench.yaml',
      description: 'any of these flags as keys, such as max_tokens: 200; flags win over it',
    }),
    url: Flags.string({
      description: 'where to send; a base such as http://host:41002 is completed',
      helpGroup: 'TARGET',
    }),
    'api-key': Flags.string({ description: 'key for the target (better: KT_API_KEY)', helpGroup: 'TARGET' }),
    header: Flags.string({
      description: "extra header 'Name: value'; repeatable",
      multiple: true,
      helpGroup: 'TARGET',
    }),
    endpoint: Flags.string({ description: 'chat (default), completions or embeddings', helpGroup: 'TARGET' }),
    timeout: Flags.string({ description: 'for a whole request [default: 30s]', helpGroup: 'TARGET' }),
    'connect-timeout': Flags.string({
      description: 'until a connection is open [default: --timeout]',
      helpGroup: 'TARGET',
    }),
    'ttft-timeout': Flags.string({ description: 'with --stream: from sent to the first token', helpGroup: 'TARGET' }),
    'idle-timeout': Flags.string({ description: 'with --stream: between two tokens', helpGroup: 'TARGET' }),
    'no-keepalive': Flags.boolean({ description: 'a new connection for every request', helpGroup: 'TARGET' }),
    ca: Flags.string({ description: "certificates to trust instead of the system's, a PEM file", helpGroup: 'TARGET' }),
    insecure: Flags.boolean({ description: 'take any certificate', helpGroup: 'TARGET' }),
    http2: Flags.boolean({
      description: 'HTTP/2: by ALPN over https, with prior knowledge over http',
      helpGroup: 'TARGET',
    }),
    connections: Flags.string({
      description: 'with --http2: how many connections [default: one for 100 requests in flight]',
      helpGroup: 'TARGET',
    }),
    model: Flags.string({ description: '[default: gpt-4o-mini]', helpGroup: 'REQUEST' }),
    prompt: Flags.string({ description: "[default: 'Say hello in one word']", helpGroup: 'REQUEST' }),
    prompts: Flags.string({
      description: 'a JSON Lines file: a prompt, {"prompt"} or {"messages"} a line, sent in turn',
      helpGroup: 'REQUEST',
    }),
    body: Flags.string({ description: 'a JSON file: the request, sent as it stands', helpGroup: 'REQUEST' }),
    workload: Flags.string({
      description: 'a profile: chat, rag, code-agent, mix, ... or a .yaml file',
      helpGroup: 'REQUEST',
    }),
    'input-tokens': Flags.string({
      helpValue: '500',
      description: "generated prompts of so many tokens, or 'lognormal(6.6,0.98)', normal, uniform",
      helpGroup: 'REQUEST',
    }),
    'output-tokens': Flags.string({
      helpValue: '200',
      description: 'ask for so many; drawn for each request where it is a distribution',
      helpGroup: 'REQUEST',
    }),
    'max-tokens': Flags.string({ description: 'most output tokens of an answer', helpGroup: 'REQUEST' }),
    'shared-prefix-tokens': Flags.string({
      description: 'a system message of so many tokens before --input-tokens',
      helpGroup: 'REQUEST',
    }),
    'shared-prefixes': Flags.string({ description: 'how many different ones [default: 1]', helpGroup: 'REQUEST' }),
    stream: Flags.boolean({
      description: 'stream the answers; adds TTFT, TPOT and inter-token rows',
      allowNo: true,
      helpGroup: 'REQUEST',
    }),
    seed: Flags.string({ description: 'the same seed sends the same requests [default: 1]', helpGroup: 'REQUEST' }),
    requests: Flags.string({
      description: 'how many [default: 100; 1,000 on each arm of the embedded pair]',
      helpGroup: 'LOAD',
    }),
    duration: Flags.string({ description: "how long, such as '60s'", helpGroup: 'LOAD' }),
    concurrency: Flags.string({ description: 'closed loop: requests in flight [default: 10]', helpGroup: 'LOAD' }),
    rps: Flags.string({
      description: 'open loop: requests per second, latency from the intended time',
      helpGroup: 'LOAD',
    }),
    arrival: Flags.string({ description: 'open loop: constant (default), poisson or gamma', helpGroup: 'LOAD' }),
    burstiness: Flags.string({
      description: 'shape of gamma arrivals: below 1 in bursts, 1 is poisson, above it evener [default: 1]',
      helpGroup: 'LOAD',
    }),
    stages: Flags.string({
      description: "straight from level to level: '10rps@30s,200rps@60s', or in flight: '5@30s,50@60s'",
      helpGroup: 'LOAD',
    }),
    'think-time': Flags.string({
      description: 'closed loop: wait between an answer and the next request',
      helpGroup: 'LOAD',
    }),
    'max-in-flight': Flags.string({
      description: 'open loop: what is due beyond it waits, and the wait counts [default: 1,000]',
      helpGroup: 'LOAD',
    }),
    warmup: Flags.string({
      description:
        "requests ('200') or time ('10s') sent first and left out [default: one a connection; of the embedded pair 200, or 3s]",
      helpGroup: 'LOAD',
    }),
    'cool-down': Flags.string({
      description: 'go on sending for this long after the last measured request',
      helpGroup: 'LOAD',
    }),
    workers: Flags.string({
      description: "threads that send, or 'auto' by the cores [default: 1]",
      helpGroup: 'LOAD',
    }),
    drain: Flags.string({
      description: 'at the end, for what is in flight; then it counts as unfinished [default: --timeout]',
      helpGroup: 'LOAD',
    }),
    'token-budget': Flags.string({
      description: "stop when this many tokens are spent, such as '50k'",
      helpGroup: 'LOAD',
    }),
    'measure-ttfb': Flags.boolean({ description: 'show time to first byte without --stream too', helpGroup: 'RESULT' }),
    samples: Flags.string({ description: 'write one line a request (NDJSON) to this file', helpGroup: 'RESULT' }),
    output: Flags.string({ description: 'write the report (kt.bench/1) to this file', helpGroup: 'RESULT' }),
    json: Flags.boolean({ description: 'print the report instead of tables', helpGroup: 'RESULT' }),
    'baseline-url': Flags.string({
      description: 'measured in turns with --url: straight to the provider, or the old gateway',
      helpGroup: 'TARGET',
    }),
    pairing: Flags.string({
      helpValue: 'block',
      description:
        "how two arms take turns: 'block', or 'request' where requests are slow or paid for: pairs of requests, in random order [default: block]",
      helpGroup: 'LOAD',
    }),
    'until-decided': Flags.boolean({
      description:
        'judge after 10, 20, 40 and 80 pairs of blocks and end with the first PASS or FAIL; --requests and --duration are the most [default: 4,000 on each arm]',
      helpGroup: 'RESULT',
    }),
    aa: Flags.boolean({ description: "measure one address against itself: the rig's own noise", helpGroup: 'RESULT' }),
    split: Flags.boolean({ description: 'write the two arms as two reports too', helpGroup: 'RESULT' }),
    threshold: Flags.string({
      description: "gate on this too, such as 'errors.rate<0.1%'; repeatable",
      multiple: true,
      helpGroup: 'RESULT',
    }),
    slo: Flags.string({
      description: 'judge by a category of profiles/slo.yaml, with its timeout',
      helpGroup: 'RESULT',
    }),
    budget: Flags.string({
      description: "gate P99 overhead on this, such as '7ms': exit 3 over it, 4 when unsure",
      helpGroup: 'RESULT',
    }),
    budgets: Flags.string({
      description:
        'gate on the total of this file, and hold the components against it [default: profiles/budgets.yaml]',
      helpGroup: 'RESULT',
    }),
    ...ciFlags,
    'inject-delay': Flags.string({
      description: 'make the embedded gateway wait in every request',
      helpGroup: 'RESULT',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Bench)
    const [
      { OPTION_NAMES, parseBenchOptions },
      { withConfig },
      { bench },
      { renderBench },
      { renderBenchMarkdown },
      ci,
      { progressLine, progressLogLine },
      { progressOnStderr },
    ] = await Promise.all([
      import('../../runner/options.ts'),
      import('../../runner/config.ts'),
      import('../../runner/bench.ts'),
      import('../../render/bench-table.ts'),
      import('../../render/bench-markdown.ts'),
      import('../../system/ci.ts'),
      import('../../render/progress.ts'),
      import('../../system/progress.ts'),
    ])
    const { config, ...typed } = flags
    const given = withConfig(typed, config, OPTION_NAMES)
    given.values['api-key'] ??= this.apiKey(undefined)
    const options = parseBenchOptions(given)
    const progress = progressOnStderr(!options.json)
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
    if (options.json) this.printJson(result.report)
    else this.print(renderBench(result.report, { ...result, color: this.color, showTtfb: options['measure-ttfb'] }))
    const { report, verdict } = result
    ci.publish(options, {
      name: 'kt bench',
      gate: verdict,
      properties: { url: report.target.url, model: report.target.model, workload: report.load.workload.name },
      timestamp: report.startedAt,
      markdown: () => renderBenchMarkdown(report, verdict),
    })
    this.finish(result.exitCode)
  }
}
