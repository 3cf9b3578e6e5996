/** `kt provider start`: serves the simulated provider until a signal asks it to stop. */

import { KtCommand } from '../../command.ts'
import { flagsOf } from '../../parse/flags.ts'
import { publishCertificate, withdrawCertificate } from '../../provider/certificate.ts'
import { parseProviderFlags, providerFlags } from '../../provider/options.ts'
import { startProvider } from '../../provider/server.ts'
import { keepDoublesApart, lowerHelperThreads } from '../../system/helper-threads.ts'
import { onFreePort, untilAskedToStop } from '../../system/serve.ts'

export default class ProviderStart extends KtCommand {
  static override summary =
    'Start the simulated LLM provider: the APIs of OpenAI, Anthropic and Gemini, with known latency.'

  static override description = [
    'Serves chat completions, legacy completions, responses, embeddings and models (OpenAI), messages (Anthropic), ' +
      'generateContent and streamGenerateContent (Gemini), rerank (Cohere, Jina), as JSON and SSE, with delays drawn ' +
      'from each request’s own seed, and states in every answer how long it took. Any model name is served; ' +
      'gpt-unknown and names that start with ' +
      "'unknown' are answered with 404. A request's own limit (max_tokens and its like) is the number of " +
      'tokens it gets.',
    'A delay is fixed (20ms), log-normal (lognormal(20ms,0.5): median, sigma of the logarithm), or by quantiles ' +
      '(quantiles(0:12ms,50:20ms,100:95ms)). The first ' +
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
    'With --replay it plays the answers of a cassette (kt provider record) at their own pace, or --speed times ' +
      'faster: those of the very request, else of a similar one; with --order sequence one after another.',
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
    '<%= config.bin %> provider start --replay cassette.jsonl --speed 2',
    '<%= config.bin %> provider start --port 0 --ttft 0ms --token-gap 0ms --json',
  ]

  static override flags = flagsOf(providerFlags)

  async run(): Promise<void> {
    const { flags } = await this.parse(ProviderStart)
    const { provider: options, json, tls, port, ...values } = parseProviderFlags(flags, (line) => this.note(line))
    keepDoublesApart()
    lowerHelperThreads()
    const asked = untilAskedToStop()
    const provider = await onFreePort(port, values['next-free-port'], (free) =>
      startProvider({ ...options, port: free }),
    )
    if (port !== 0 && provider.port !== port) {
      this.note(`kt: port ${port} is taken; the provider took ${provider.port}`)
    }
    const ca = tls && options.tls && !values['tls-cert'] ? publishCertificate(options.tls) : undefined
    if (ca) this.note(`kt: clients trust this provider by the certificate ${ca}`)
    this.print(
      json ? JSON.stringify({ url: provider.url, pid: process.pid, ca }) : `kt provider listening on ${provider.url}`,
    )
    await asked
    await provider.close()
    if (ca) withdrawCertificate(ca)
  }
}
