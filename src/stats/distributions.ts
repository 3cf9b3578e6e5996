/**
 * The distributions behind the intervals: normal, Student t, beta and binomial. Double precision, no tables.
 * Regularised incomplete beta by Lentz's continued fraction (Numerical Recipes 6.4), log-gamma by Lanczos (g = 7, n =
 * 9); the inverse by Newton's steps within a bracket, which cannot diverge: a verdict takes thousands of them, and the
 * live view as many beside a run. Tested against published tables.
 */

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]

function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x)
  const z = x - 1
  const t = z + 7.5
  const series = LANCZOS.reduce((sum, coefficient, i) => (i === 0 ? coefficient : sum + coefficient / (z + i)), 0)
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(series)
}

/** I_x(a, b): the share of a Beta(a, b) below x. */
export function incompleteBeta(x: number, a: number, b: number): number {
  return betaBelow(x, a, b, logBeta(a, b))
}

/** The logarithm of the beta function. */
function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b)
}

function betaBelow(x: number, a: number, b: number, log: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - log)
  // The continued fraction converges fast below the mean; above it the mirrored one does.
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(x, a, b)) / a : 1 - (front * betaFraction(1 - x, b, a)) / b
}

function betaFraction(x: number, a: number, b: number): number {
  const nonZero = (value: number): number => (Math.abs(value) < 1e-300 ? 1e-300 : value)
  let c = 1
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1))
  let result = d
  for (let m = 1; m < 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / nonZero(1 + even * d)
    c = nonZero(1 + even / c)
    result *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / nonZero(1 + odd * d)
    c = nonZero(1 + odd / c)
    result *= d * c
    if (Math.abs(d * c - 1) < 1e-15) break
  }
  return result
}

/** The x with I_x(a, b) = p. */
export function inverseIncompleteBeta(p: number, a: number, b: number): number {
  if (p <= 0) return 0
  if (p >= 1) return 1
  const log = logBeta(a, b)
  let [low, high] = [0, 1]
  let x = a / (a + b)
  for (let step = 0; step < MOST_STEPS; step++) {
    const beyond = betaBelow(x, a, b, log) - p
    if (beyond < 0) low = x
    else high = x
    const density = Math.exp((a - 1) * Math.log(x) + (b - 1) * Math.log1p(-x) - log)
    const newton = x - beyond / density
    const next = newton > low && newton < high ? newton : (low + high) / 2
    if (Math.abs(next - x) <= PRECISION * x) return next
    x = next
  }
  return x
}

/** What the logarithms leave of the precision of a number. */
const PRECISION = 1e-13

/** Halving alone reaches the smallest share that a number can hold within them. */
const MOST_STEPS = 1_100

/** P(X <= k) of n trials with probability p. */
export function binomialCdf(k: number, n: number, p: number): number {
  if (k < 0) return 0
  if (k >= n) return 1
  return incompleteBeta(1 - p, n - k, k + 1)
}

/** The density of a standard normal. */
export function normalDensity(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)
}

/** P(Z <= z), through the t distribution's limit: erfc is the incomplete gamma, here by its own continued fraction. */
export function normalCdf(z: number): number {
  if (z > 0) return 1 - normalCdf(-z)
  const x = (z * z) / 2
  if (x < 1.5) {
    // Series of the lower incomplete gamma P(1/2, x).
    let term = 2 * Math.sqrt(x / Math.PI) * Math.exp(-x)
    let sum = term
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= x / (n + 0.5)
      sum += term
    }
    return (1 - sum) / 2
  }
  // Lentz's continued fraction of the upper incomplete gamma Q(1/2, x).
  let b = x + 0.5
  let c = 1e300
  let d = 1 / b
  let h = d
  for (let n = 1; n < 1_000; n++) {
    const an = -n * (n - 0.5)
    b += 2
    d = 1 / (an * d + b)
    c = b + an / c
    h *= d * c
    if (Math.abs(d * c - 1) < 1e-15) break
  }
  return (Math.exp(-x) * Math.sqrt(x / Math.PI) * h) / 2
}

/** The t below which the share p of Student's t with `df` degrees of freedom lies. */
export function studentQuantile(p: number, df: number): number {
  if (p === 0.5) return 0
  if (p < 0.5) return -studentQuantile(1 - p, df)
  const x = inverseIncompleteBeta(2 * (1 - p), df / 2, 0.5)
  return Math.sqrt((df * (1 - x)) / x)
}

/** P(T > t) of Student's t with `df` degrees of freedom. */
export function studentUpperTail(t: number, df: number): number {
  if (t === Number.POSITIVE_INFINITY) return 0
  const tail = incompleteBeta(df / (df + t * t), df / 2, 0.5) / 2
  return t >= 0 ? tail : 1 - tail
}
