/**
 * The flags that `kt bench` and `kt bench sweep` share: where requests go, what they are, how they are sent. What a run of its own or a
 * sweep adds (how long, how much, which levels) is with the command.
 */
import { Flags } from '@oclif/core'

export const targetFlags = {
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
}

export const requestFlags = {
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
}

export const pacingFlags = {
  arrival: Flags.string({ description: 'open loop: constant (default), poisson or gamma', helpGroup: 'LOAD' }),
  burstiness: Flags.string({
    description: 'shape of gamma arrivals: below 1 in bursts, 1 is poisson, above it evener [default: 1]',
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
  rehearsal: Flags.boolean({
    description:
      'JIT warm-up against a local simulated provider before the run, also --jit-warmup ' +
      '[default: from 1,000 requests or 5s on]',
    allowNo: true,
    aliases: ['jit-warmup'],
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
}

/** Without --url. */
export const embeddedFlags = {
  'inject-delay': Flags.string({
    description: 'make the embedded gateway wait in every request',
    helpGroup: 'EMBEDDED PAIR',
  }),
  'token-gap': Flags.string({
    helpValue: '20ms',
    description: 'time between two tokens of the embedded provider [default: 2ms]',
    helpGroup: 'EMBEDDED PAIR',
  }),
}
