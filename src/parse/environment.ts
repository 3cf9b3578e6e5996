/** Flags that the environment gives: KT_REQUESTS=500 is `--requests 500`, for every flag of every command. */

type Environment = Readonly<Record<string, string | undefined>>

interface KnownFlag {
  type: 'boolean' | 'option'
  multiple?: boolean
}

/**
 * Set to 'off' it keeps the environment, and a kt.yaml in the folder, from giving flags: for the servers that kt starts
 * itself.
 */
export const ENVIRONMENT_SWITCH = 'KT_ENV'

function variableOf(flag: string): string {
  return `KT_${flag.toUpperCase().replaceAll('-', '_')}`
}

export function isEnvironmentRead(environment: Environment = process.env): boolean {
  return environment[ENVIRONMENT_SWITCH] !== 'off'
}

/** The values of those of `flags` that have a variable, as the command line would give them. */
export function fromEnvironment(
  flags: Readonly<Record<string, KnownFlag>>,
  environment: Environment = process.env,
): Record<string, unknown> {
  if (!isEnvironmentRead(environment)) return {}
  const given = Object.entries(flags).flatMap(([name, flag]) => {
    const value = environment[variableOf(name)]
    return value ? [[name, asGiven(value, flag)]] : []
  })
  return Object.fromEntries(given)
}

/** A word that is neither yes nor no stays, and is refused as a value. */
function asGiven(value: string, { type, multiple }: KnownFlag): unknown {
  if (type === 'boolean') {
    if (/^(?:1|true|yes|on)$/i.test(value)) return true
    return /^(?:0|false|no|off)$/i.test(value) ? false : value
  }
  // A header or a threshold a line.
  return multiple ? value.split('\n').filter((line) => line !== '') : value
}

/** The variable that gave a flag its value, if it was one. */
export function variableBehind(
  flag: string,
  value: unknown,
  environment: Environment = process.env,
): string | undefined {
  const given = environment[variableOf(flag)]
  if (!given) return undefined
  return value === given || (Array.isArray(value) && value.join('\n') === given.trim()) ? variableOf(flag) : undefined
}
