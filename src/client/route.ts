/** How a target is reached, where that is not by its own name and port. */
import type { ProxyAddress } from '../http1/tunnel.ts'

/** Plain data. */
export interface Route {
  /** Of the target. */
  origin: string
  via:
    | { kind: 'unix-socket'; path: string }
    | { kind: 'address'; address: string }
    | { kind: 'proxy'; proxy: ProxyAddress }
  /** Who says so: a flag, or a variable of the environment. */
  from: string
}

export function routeTo(origin: string, routes: readonly Route[] = []): Route['via'] | undefined {
  return routes.find((route) => route.origin === origin)?.via
}
