/** What kt reads of the environment beside the flags. docs/environment.md lists all of it. */

/** The key for a target where none is given. */
export function apiKeyOf({ KT_API_KEY, OPENAI_API_KEY }: NodeJS.ProcessEnv): string | undefined {
  return KT_API_KEY ?? OPENAI_API_KEY
}

/** The key of one arm, in the variable that the user names. */
export function keyIn(environment: NodeJS.ProcessEnv, name: string): string | undefined {
  return environment[name]?.trim() || undefined
}

/** Opens the key of a client certificate. A command line would show it to everybody on the machine. */
export function keyPassphraseOf({ KT_KEY_PASSPHRASE }: NodeJS.ProcessEnv): string | undefined {
  return KT_KEY_PASSPHRASE || undefined
}

/**
 * Headers for a collector, which may hold a key: `key=value` pairs with commas between them, values percent-encoded.
 */
export function otlpHeadersOf({ OTEL_EXPORTER_OTLP_HEADERS = '' }: NodeJS.ProcessEnv): Record<string, string> {
  const pairs = OTEL_EXPORTER_OTLP_HEADERS.split(',').flatMap((pair) => {
    const [, name, value = ''] = /^\s*([\w-]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? []
    return name === undefined ? [] : [[name.toLowerCase(), decoded(value)] as const]
  })
  return Object.fromEntries(pairs)
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
