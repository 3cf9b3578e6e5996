/** `kt provider start`: serves the simulated provider until a signal asks it to stop. */

import { Flags } from '@oclif/core'
import { KtCommand } from '../../command.ts'
import { publishCertificate, withdrawCertificate } from '../../provider/certificate.ts'
import { providerOptions } from '../../provider/options.ts'
import { startProvider } from '../../provider/server.ts'
import { lowerHelperThreads } from '../../system/helper-threads.ts'
import { onFreePort, untilAskedToStop } from '../../system/serve.ts'

export default class ProviderStart extends KtCommand {
  static override summary =
    'Start the simulated LLM provider: the APIs of OpenAI, Anthropic and Gemini, with known latency.'

  static override description = [
    'Serves chat completions, legacy completions, responses, embeddings and models (OpenAI), messages (Anthropic), ' +
      'generateContent and streamGenerateContent (Gemini), as JSON and SSE, with delays drawn from each ' +
      'request’s own seed, ' +
      'and states in every answer how long it took. Any model name is served; gpt-unknown and names that start with ' +
      "'unknown' are answered with 404. A request's own limit (max_tokens and its like) is the number of " +
      'tokens it gets.',
    'A delay is fixed (20ms) or log-normal (lognormal(20ms,0.5): median, sigma of the logarithm). The first ' +
      'token of an ' +
      'answer leaves at TTFT, each further one a gap later, and the answer ends one gap after its last token; ' +
      'a JSON answer ' +
      'comes when its stream would end. With --ttft 0ms --token-gap 0ms there is no waiting at all.',
    'A profile sets all of that, and the shape of streams, hidden reasoning, slowness under load and faults: ' +
      'a YAML file, or ' +
      'one that ships with kt (profiles/providers). Flags override it. Faults, for --fault: rate_limit (429), ' +
      'server_error ' +
      '(500), overloaded (503), reset, truncate, stall, malformed, error_event, slow_headers. A request draws ' +
      'its fault from ' +
      'its own seed, so it fails in every run; a retry draws again.',
    'The stamp (how long the provider itself took) is the server-timing header, and for prompts that end with ' +
      'a nonce the ' +
      'member system_fingerprint of every JSON answer and every event, in all formats; with --stamp-in-text also ' +
      'the end of the text of each.',
    'With --http2 the same port serves HTTP/1.1 and HTTP/2 (without TLS: prior knowledge). --tls creates a ' +
      'certificate ' +
      'for this run and prints its path.',
    'GET /__kt/truth lists what the provider really did, a JSON line for each request with a nonce (DELETE ' +
      'clears it); ' +
      'GET /__kt/stats counts requests, connections by protocol, retries, faults and clients that left.',
  ].join('\n\n')

  static override examples = [
    '<%= config.bin %> provider start',
    "<%= config.bin %> provider start --ttft 'lognormal(300ms,0.4)' --token-gap 'lognormal(12ms,0.3)' --tokens 200",
    '<%= config.bin %> provider start --profile openai --error-rate 1% --rate-limit 5%',
    "<%= config.bin %> provider start --stall '100ms/1s'",
    '<%= config.bin %> provider start --http2 --tls --profile ./my-provider.yaml',
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
    'next-free-port': Flags.boolean({ description: 'use the next free port when the port is taken' }),
    profile: Flags.string({
      helpValue: '<name|file.yaml>',
      description: 'profile of the answers: a name in profiles/providers, or a file',
    }),
    ttft: Flags.string({ helpValue: '<delay>', description: 'time to first token [default: 20ms]' }),
    'token-gap': Flags.string({ helpValue: '<delay>', description: 'time between tokens [default: 2ms]' }),
    tokens: Flags.integer({
      description: 'tokens in an answer to a request without a limit of its own [default: 16]',
    }),
    seed: Flags.integer({ default: 1, description: 'seed of delays and faults, combined with that of each request' }),
    'error-rate': Flags.string({ helpValue: '<share>', description: 'requests answered with 500, such as 1%' }),
    'rate-limit': Flags.string({ helpValue: '<share>', description: 'requests answered with 429, such as 5%' }),
    fault: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: '<fault=share>',
      description: 'requests with another fault, such as truncate=1%; repeatable',
    }),
    stall: Flags.string({
      helpValue: '<for/every>',
      description: 'pause all answers periodically: 100ms/1s pauses 100 ms in every second',
    }),
    'stamp-in-text': Flags.boolean({
      description: 'also stamp the text of each event, for gateways that merge events or translate formats',
    }),
    http2: Flags.boolean({ description: 'serve HTTP/2 beside HTTP/1.1' }),
    'max-streams': Flags.integer({
      min: 1,
      max: 2 ** 31 - 1,
      description: 'streams that one HTTP/2 connection may have open [default: 100]',
    }),
    tls: Flags.boolean({ description: 'serve TLS with a certificate made for this run' }),
    'tls-cert': Flags.string({ helpValue: '<file.pem>', description: 'serve TLS with this certificate' }),
    'tls-key': Flags.string({ helpValue: '<file.pem>', description: 'private key of --tls-cert' }),
    'api-key': Flags.string({ description: 'require this API key, in the header of each API' }),
    json: Flags.boolean({ description: 'print {"url", "pid"} (with --tls also "ca") on one line when listening' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(ProviderStart)
    const options = providerOptions(flags)
    lowerHelperThreads()
    const asked = untilAskedToStop()
    const provider = await onFreePort(flags.port, flags['next-free-port'], (port) =>
      startProvider({ ...options, port }),
    )
    if (flags.port !== 0 && provider.port !== flags.port) {
      process.stderr.write(`kt: port ${flags.port} is taken; the provider took ${provider.port}\n`)
    }
    const ca = flags.tls && options.tls && !flags['tls-cert'] ? publishCertificate(options.tls) : undefined
    if (ca) process.stderr.write(`kt: clients trust this provider by the certificate ${ca}\n`)
    this.print(
      flags.json
        ? JSON.stringify({ url: provider.url, pid: process.pid, ca })
        : `kt provider listening on ${provider.url}`,
    )
    await asked
    await provider.close()
    if (ca) withdrawCertificate(ca)
  }
}
