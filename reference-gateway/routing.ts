/**
 * Which provider answers for a model: the exact name wins over the longest prefix ('gpt-*'), that over '*'; among equals
 * the provider that stands first in the config. A request that names no model goes to the first provider.
 */
import type { Provider } from './config.ts'

export class Router {
  readonly #first: Provider
  readonly #exact = new Map<string, Provider>()
  readonly #prefixes: { prefix: string; provider: Provider }[] = []

  constructor(providers: readonly [Provider, ...Provider[]]) {
    this.#first = providers[0]
    for (const provider of providers) {
      for (const pattern of provider.models) {
        if (pattern.endsWith('*')) this.#prefixes.push({ prefix: pattern.slice(0, -1), provider })
        else if (!this.#exact.has(pattern)) this.#exact.set(pattern, provider)
      }
    }
    this.#prefixes.sort((a, b) => b.prefix.length - a.prefix.length)
  }

  /** The provider for `model`, or undefined when no pattern knows it. */
  route(model: string | undefined): Provider | undefined {
    if (model === undefined) return this.#first
    return this.#exact.get(model) ?? this.#prefixes.find(({ prefix }) => model.startsWith(prefix))?.provider
  }
}
