/** What the provider takes and gives at most. */

/** The longest answer: as far as current models go. */
export const MAX_TOKENS = 131_072

export const BODY_LIMIT_BYTES = 64 * 2 ** 20
