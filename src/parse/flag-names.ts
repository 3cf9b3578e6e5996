/**
 * The other names of flags, for all commands in one table: a letter, and what the field calls the same (k6, oha,
 * vegeta, AIPerf, guidellm, vllm bench), or what kt called it before. A command that has a flag of such a name itself
 * keeps it.
 */
import type { OptionFlag } from '@oclif/core/interfaces'

interface OtherNames {
  char?: NonNullable<OptionFlag<string>['char']>
  aliases?: readonly string[]
}

export const OTHER_NAMES: Readonly<Record<string, OtherNames>> = {
  url: { char: 'u', aliases: ['base-url', 'target'] },
  requests: {
    char: 'n',
    aliases: ['num-prompts', 'request-count', 'num-requests', 'iterations', 'max-requests'],
  },
  concurrency: { char: 'c', aliases: ['max-concurrency', 'vus', 'users'] },
  duration: { char: 'd', aliases: ['benchmark-duration', 'max-seconds'] },
  rps: { char: 'r', aliases: ['rate', 'request-rate', 'qps', 'arrival-rate'] },
  'max-in-flight': { aliases: ['max-workers'] },
  header: { char: 'H', aliases: ['headers'] },
  model: { char: 'm' },
  prompts: { aliases: ['dataset', 'dataset-path', 'input-file'] },
  output: { char: 'o', aliases: ['output-file', 'result-filename', 'summary-export'] },
  timeout: { aliases: ['request-timeout'] },
  'input-tokens': { aliases: ['isl', 'input-len', 'random-input-len', 'synthetic-input-tokens-mean'] },
  'output-tokens': { aliases: ['osl', 'output-len', 'random-output-len', 'output-tokens-mean'] },
  stream: { aliases: ['streaming'] },
  warmup: { aliases: ['num-warmups', 'warmup-request-count', 'warmup-requests'] },
  seed: { aliases: ['random-seed'] },
  threads: { aliases: ['workers'] },
  'jit-warmup': { aliases: ['rehearsal'] },
  'no-keepalive': { aliases: ['disable-keepalive', 'no-connection-reuse'] },
  ca: { aliases: ['cacert'] },
  insecure: { aliases: ['insecure-skip-tls-verify'] },
  threshold: { aliases: ['thresholds'] },
  'show-request': { aliases: ['debug'] },
  quiet: { char: 'q', aliases: ['silent'] },
  // Former names, that other commands use in another sense.
  'budget-file': { aliases: ['budgets'] },
  workload: { aliases: ['profile'] },
  'workload-file': { aliases: ['workloads'] },
  'upstream-http': { aliases: ['upstream'] },
  'require-key': { aliases: ['api-key'] },
}

/** The name of the flag that `name` is another name of, among `known`; `name` itself where it is none. */
export function flagOf(name: string, known: readonly string[]): string {
  if (known.includes(name)) return name
  return known.find((flag) => OTHER_NAMES[flag]?.aliases?.includes(name)) ?? name
}

/**
 * What a word of the command line gives of the flags `known`, by any of their names: `--header=x`, `-H`, `-Hx`. The
 * value is undefined where it is the next word. A letter may stand behind that of --quiet, which takes no value.
 */
export function flagAt(
  word: string,
  known: readonly string[],
): { flag: string; typed: string; value: string | undefined } | undefined {
  const [, typed = '', long, letter, value = ''] = /^((?:--([^=]+)|-q*(\w))=?)(.*)$/s.exec(word) ?? []
  const flag =
    long === undefined
      ? known.find((name) => letter !== undefined && OTHER_NAMES[name]?.char === letter)
      : known.find((name) => name === flagOf(long, known))
  if (flag === undefined) return undefined
  return { flag, typed, value: value === '' && !typed.endsWith('=') ? undefined : value }
}
