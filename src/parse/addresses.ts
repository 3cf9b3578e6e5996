/** Addresses as people type them. */

/** The part of an address that a message may repeat: no user, no password, no query. */
export function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//***@').replace(/\?.*$/s, '?***')
}

const WITH_SCHEME = /^https?:\/\//i
const HOST_AND_PORT = /^(\[[\da-f:]+\]|[\w.-]+):\d+(\/|$)/i

/** Whether a word is an address, with its scheme or as host:port. */
export function isAddress(typed: string): boolean {
  return WITH_SCHEME.test(typed) || HOST_AND_PORT.test(typed)
}

/** An address with its scheme: what is typed without one is HTTP. */
export function withScheme(typed: string): string {
  return WITH_SCHEME.test(typed) ? typed : `http://${typed}`
}

/** What an address that was given as an argument is as a flag; undefined for what is no address. */
export function asUrlFlag(typed: string): string | undefined {
  return isAddress(typed) ? `--url ${withScheme(withoutCredentials(typed))}` : undefined
}
