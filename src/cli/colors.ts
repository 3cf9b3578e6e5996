/** Whether a stream gets colours: NO_COLOR, FORCE_COLOR and dumb terminals are heeded as everywhere else. */

interface Stream {
  isTTY?: boolean
}

/** `asked` is what --color or --no-color says. FORCE_COLOR wins over NO_COLOR, as in Node itself. */
export function isColored(
  { isTTY }: Stream,
  asked: boolean | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  if (asked !== undefined) return asked
  const { FORCE_COLOR: forced, NO_COLOR: none, TERM: terminal } = environment
  if (forced !== undefined) return !['0', 'false'].includes(forced)
  return isTTY === true && !none && terminal !== 'dumb'
}
