/** A key of the gateway's own for its clients, and what it may ask for. */

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
