/** `kt provider start`: serves the simulated provider until it is asked to stop. */
import { Flags } from '@oclif/core'
import { KtCommand } from '../../command.ts'

export default class ProviderStart extends KtCommand {
  static override summary = 'Start the simulated LLM provider: the OpenAI API with known latency.'

  static override description = [
    "Serves chat completions (JSON and SSE), legacy completions, embeddings and models, with delays drawn from each request's " +
      'own seed, and says in every answer how long it took. Any model name is served; gpt-unknown and names that start with ' +
      "'unknown' are answered with 404.",
    'A delay is fixed (20ms) or log-normal (lognormal(20ms,0.5): median, sigma of the logarithm). The first token of an ' +
      'answer leaves at TTFT, each further one a gap later, and the answer ends one gap after its last token; a JSON answer ' +
      'comes when its stream would end. With --ttft 0ms --token-gap 0ms there is no waiting at all.',
    'GET /__kt/truth lists what was really done, a JSON line for each request with a nonce (DELETE clears it); ' +
      'GET /__kt/stats counts requests and connections.',
  ].join('\n\n')

  static override examples = [
    '<%= config.bin %> provider start',
    "<%= config.bin %> provider start --ttft 'lognormal(300ms,0.4)' --token-gap 'lognormal(12ms,0.3)' --tokens 200",
    '<%= config.bin %> provider start --port 0 --ttft 0ms --token-gap 0ms --json',
  ]

  static override flags = {
    host: Flags.string({ default: '127.0.0.1', description: 'address to listen on' }),
    port: Flags.integer({
      default: 41001,
      min: 0,
      max: 65_535,
      description: 'port to listen on (0: the system chooses)',
    }),
    'next-free-port': Flags.boolean({ description: 'when the port is taken, use the next free one' }),
    ttft: Flags.string({ default: '20ms', helpValue: '<delay>', description: 'time to first token' }),
    'token-gap': Flags.string({ default: '2ms', helpValue: '<delay>', description: 'time between tokens' }),
    tokens: Flags.integer({
      default: 16,
      description: 'tokens in an answer to a request without max_tokens or max_completion_tokens',
    }),
    seed: Flags.integer({ default: 1, description: 'seed of the delays, combined with that of each request' }),
    'api-key': Flags.string({ description: 'require this key as a bearer token' }),
    json: Flags.boolean({ description: 'print {"url", "pid"} on one line when listening' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(ProviderStart)
    const { providerOptions } = await import('../../provider/options.ts')
    const options = providerOptions(flags)
    const { startProvider } = await import('../../provider/server.ts')
    const { onFreePort, untilAskedToStop } = await import('../../system/serve.ts')
    const asked = untilAskedToStop()
    const provider = await onFreePort(flags.port, flags['next-free-port'], (port) =>
      startProvider({ ...options, port }),
    )
    if (flags.port !== 0 && provider.port !== flags.port) {
      process.stderr.write(`kt: port ${flags.port} is taken; the provider took ${provider.port}\n`)
    }
    this.print(
      flags.json ? JSON.stringify({ url: provider.url, pid: process.pid }) : `kt provider listening on ${provider.url}`,
    )
    await asked
    await provider.close()
  }
}
