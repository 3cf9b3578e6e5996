/** A key of the gateway's own for its clients, what it may ask for, and the headers that say who asks. */

/** The headers that clients send keys in. None of them goes upstream when the gateway checks keys itself. */
export const CLIENT_KEY_HEADERS = ['authorization', 'api-key', 'x-api-key'] as const
/** Whose account of a provider is meant. */
export const ACCOUNT_HEADERS = ['openai-organization', 'openai-project'] as const

export interface ClientKey {
  value: string
  tenant: string
  /** Names and prefixes ('gpt-*') of the models that it may use; undefined: all. */
  models?: readonly string[] | undefined
  /** What it may ask for (see endpoints.ts); undefined: all that do not name stored objects of other tenants. */
  endpoints?: readonly string[] | undefined
}

export function matchesModel(pattern: string, model: string): boolean {
  return pattern.endsWith('*') ? model.startsWith(pattern.slice(0, -1)) : pattern === model
}
