/** How long anything that a test waits for may take on the slowest machine. */
const PATIENCE_MS = 60_000
const LOOK_EVERY_MS = 2

/** Waits until `check` holds, for what another process or socket does in its own time. */
export async function until(check: () => boolean | Promise<boolean>, what = 'what the test asked for'): Promise<void> {
  for (const startedMs = performance.now(); performance.now() - startedMs < PATIENCE_MS; ) {
    if (await check()) return
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
  throw new Error(`waited ${PATIENCE_MS / 1_000} s in vain for ${what}`)
}
