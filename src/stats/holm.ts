/**
 * Several checks, one alpha: Holm's step-down (1979, Scandinavian Journal of Statistics 6). Of m open checks those that reject at
 * alpha / m are settled, then the rest is asked again at alpha / (what is left), until none rejects. For FAIL only: a PASS of
 * the whole needs every check to pass (Berger 1982), which errs no more than one of them does.
 */

/** Which of the checks reject, none of them falsely with more than `alpha` in all. `rejects` must grow with its alpha. */
export function holm(checks: readonly ((alpha: number) => boolean)[], alpha: number): boolean[] {
  const rejected = checks.map(() => false)
  for (;;) {
    const open = checks.flatMap((_, index) => (rejected[index] ? [] : [index]))
    const now = open.filter((index) => checks[index]?.(alpha / open.length))
    if (now.length === 0) return rejected
    for (const index of now) rejected[index] = true
  }
}
