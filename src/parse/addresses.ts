/** Addresses as people type them. */

/** The part of an address that a message may repeat: no user, no password, no query. */
export function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//***@').replace(/\?.*$/s, '?***')
}

const WITH_SCHEME = /^https?:\/\//i
const HOST_AND_PORT = /^(\[[\da-f:]+\]|[\w.-]+):\d+(\/|$)/i

/** What an address that was given as an argument is as a flag; undefined for what is no address. */
export function asUrlFlag(typed: string): string | undefined {
  if (WITH_SCHEME.test(typed)) return `--url ${withoutCredentials(typed)}`
  return HOST_AND_PORT.test(typed) ? `--url http://${withoutCredentials(typed)}` : undefined
}
