/** The floors of the house. The import test holds them; ARCHITECTURE.md draws them, and a test holds that too. */

/** Low to high. A room may import from its own files and from the floors below it. */
export const FLOORS = [
  ['units', 'errors'],
  ['parse', 'system', 'stats', 'slo'],
  ['wire', 'http1', 'schedule'],
  ['reference-gateway'],
  ['workload', 'report', 'provider', 'gateway-cli'],
  ['client', 'plan', 'imports', 'fit'],
  ['overhead', 'watch', 'exports'],
  ['load', 'verdict'],
  ['manifests'],
  ['planning'],
  ['output'],
  ['plots'],
  ['page'],
  ['bench'],
  ['doctor'],
  ['api', 'cli'],
  ['commands'],
]

/** The gateway's folders, low to high; its own files (server, stages, worker, ...) stand on top. */
export const GATEWAY_FLOORS = [
  ['http', 'policies/pattern'],
  ['policies/policy'],
  ['protocols', 'policies/kinds'],
  ['upstream', 'policies/stream'],
  ['pipeline', 'policies/whole'],
  ['policies'],
  ['config'],
  ['workers'],
  ['cache', 'events'],
  ['metrics'],
  ['admin'],
  ['gateway'],
]
