/**
 * The flags that `kt bench` and `kt bench sweep` share: the target, the requests, the load. Flags that only one of
 * them has (duration, levels, verdict) are with the command.
 */
import { Flags } from '@oclif/core'
import { ARRIVALS_IN_WORDS, DEFAULT_ARRIVAL } from '../schedule/arrivals.ts'

export const targetFlags = {
  config: Flags.string({
    helpValue: 'bench.yaml',
    description: 'YAML file with any of these flags as keys, such as max_tokens: 200; flags win over it',
  }),
  url: Flags.string({
    description: 'URL to send to; a base URL such as http://host:41002 gets the path of the endpoint',
    helpGroup: 'TARGET',
  }),
  'api-key': Flags.string({ description: 'API key for the target; safer in KT_API_KEY', helpGroup: 'TARGET' }),
  header: Flags.string({
    description: "extra header 'Name: value'; repeatable",
    multiple: true,
    helpGroup: 'TARGET',
  }),
  endpoint: Flags.string({
    description: 'API to call: chat, completions or embeddings [default: chat]',
    helpGroup: 'TARGET',
  }),
  timeout: Flags.string({ description: 'time limit of a whole request [default: 30s]', helpGroup: 'TARGET' }),
  'connect-timeout': Flags.string({
    description: 'time limit to open a connection [default: --timeout]',
    helpGroup: 'TARGET',
  }),
  'ttft-timeout': Flags.string({
    description: 'with --stream: time limit from sending to the first token',
    helpGroup: 'TARGET',
  }),
  'idle-timeout': Flags.string({ description: 'with --stream: time limit between two tokens', helpGroup: 'TARGET' }),
  'no-keepalive': Flags.boolean({ description: 'open a new connection for every request', helpGroup: 'TARGET' }),
  ca: Flags.string({ description: "PEM file of certificates to trust instead of the system's", helpGroup: 'TARGET' }),
  insecure: Flags.boolean({ description: 'accept any certificate', helpGroup: 'TARGET' }),
  http2: Flags.boolean({
    description: 'use HTTP/2: by ALPN over https, with prior knowledge over http',
    helpGroup: 'TARGET',
  }),
  connections: Flags.string({
    description: 'with --http2: number of connections [default: one for each 100 requests in flight]',
    helpGroup: 'TARGET',
  }),
}

export const requestFlags = {
  model: Flags.string({ description: 'model to ask for [default: gpt-4o-mini]', helpGroup: 'REQUEST' }),
  prompt: Flags.string({
    description: "prompt of every request [default: 'Say hello in one word']",
    helpGroup: 'REQUEST',
  }),
  prompts: Flags.string({
    description: 'JSON Lines file with a prompt, {"prompt"} or {"messages"} on each line, sent in turn',
    helpGroup: 'REQUEST',
  }),
  body: Flags.string({ description: 'JSON file with the request body, sent unchanged', helpGroup: 'REQUEST' }),
  workload: Flags.string({
    description: 'workload profile: chat, rag, code-agent, mix, ..., or a .yaml file',
    helpGroup: 'REQUEST',
  }),
  'input-tokens': Flags.string({
    helpValue: '500',
    description:
      "generate prompts of this many tokens; a number or a distribution: 'lognormal(6.6,0.98)', normal, uniform",
    helpGroup: 'REQUEST',
  }),
  'output-tokens': Flags.string({
    helpValue: '200',
    description: 'output tokens to ask for; a number, or a distribution to draw from for each request',
    helpGroup: 'REQUEST',
  }),
  'max-tokens': Flags.string({ description: 'upper limit of output tokens in an answer', helpGroup: 'REQUEST' }),
  'shared-prefix-tokens': Flags.string({
    description: 'put a system message of this many tokens before --input-tokens',
    helpGroup: 'REQUEST',
  }),
  'shared-prefixes': Flags.string({
    description: 'number of different system messages [default: 1]',
    helpGroup: 'REQUEST',
  }),
  stream: Flags.boolean({
    description: 'stream the answers; adds TTFT, TPOT and inter-token latency',
    allowNo: true,
    helpGroup: 'REQUEST',
  }),
  seed: Flags.string({
    description: 'seed of the generated requests; the same seed sends the same requests [default: 1]',
    helpGroup: 'REQUEST',
  }),
}

export const pacingFlags = {
  arrival: Flags.string({
    description: `open loop: arrival process: ${ARRIVALS_IN_WORDS} [default: ${DEFAULT_ARRIVAL.kind}]`,
    helpGroup: 'LOAD',
  }),
  burstiness: Flags.string({
    description: 'shape of gamma arrivals: below 1 bursty, 1 is poisson, above 1 smoother [default: 1]',
    helpGroup: 'LOAD',
  }),
  'think-time': Flags.string({
    description: 'closed loop: pause between an answer and the next request',
    helpGroup: 'LOAD',
  }),
  'max-in-flight': Flags.string({
    description:
      'open loop: upper limit of requests in flight; further requests wait, and the wait counts [default: 1,000]',
    helpGroup: 'LOAD',
  }),
  warmup: Flags.string({
    description:
      "requests ('200') or time ('10s') sent first and excluded [default: one request for each connection; " +
      'with the embedded pair 200, or 3s]',
    helpGroup: 'LOAD',
  }),
  rehearsal: Flags.boolean({
    description:
      'JIT warm-up against a local simulated provider before the run, also --jit-warmup [default: from 1,000 ' +
      'requests or 5s on]',
    aliases: ['jit-warmup'],
    allowNo: true,
    helpGroup: 'LOAD',
  }),
  'cool-down': Flags.string({
    description: 'keep sending for this long after the last measured request',
    helpGroup: 'LOAD',
  }),
  workers: Flags.string({
    description: "sending threads, or 'auto' to choose by the number of cores [default: 1]",
    helpGroup: 'LOAD',
  }),
  drain: Flags.string({
    description:
      'time at the end for requests in flight to finish; later ones count as unfinished [default: --timeout]',
    helpGroup: 'LOAD',
  }),
  'token-budget': Flags.string({
    description: "stop when this many tokens are spent, such as '50k'",
    helpGroup: 'LOAD',
  }),
}

/** Flags of a run without --url. */
export const embeddedFlags = {
  'inject-delay': Flags.string({
    description: 'delay that the embedded gateway adds to every request',
    helpGroup: 'EMBEDDED PAIR',
  }),
  'token-gap': Flags.string({
    helpValue: '20ms',
    description: 'time between two tokens of the embedded provider [default: 2ms]',
    helpGroup: 'EMBEDDED PAIR',
  }),
}
