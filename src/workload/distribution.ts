/**
 * How many tokens: '500', 'normal(500,100)', 'lognormal(6.6,0.98)', 'uniform(100,900)'. Parsed, printed and drawn here; pure.
 * The log-normal is given by the mean and the sigma of the logarithm of the token count, as fits of traces are published
 * (its median is e^mu); the simulated provider's delays are given by their median instead, and carry a unit.
 */
import { normal, type Random } from '../stats/random.ts'
import { parseCount } from '../units.ts'

export type Distribution =
  | { kind: 'constant'; value: number }
  | { kind: 'normal'; mean: number; sd: number }
  | { kind: 'lognormal'; mu: number; sigma: number }
  | { kind: 'uniform'; min: number; max: number }

/** Longer than any context window in use; a draw beyond it is cut to it, one below 1 is raised to 1. */
export const MAX_TOKENS = 2_000_000
const MAX_SIGMA = 5
const FORMS = "a count such as '500', or normal(500,100), lognormal(6.6,0.98), uniform(100,900)"
const CALL = /^([a-z]+)\s*\(([^()]*)\)$/i
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/

export type Parsed = { distribution: Distribution; why?: undefined } | { distribution?: undefined; why: string }

/** Reads a distribution, or says in words why it is none. */
export function parseDistribution(text: string): Parsed {
  const given = text.trim()
  const call = CALL.exec(given)
  if (!call) return constant(given)
  const name = (call[1] ?? '').toLowerCase()
  const parts = (call[2] ?? '').split(',').map((part) => part.trim())
  const [a, b] = parts
  if (!['normal', 'lognormal', 'uniform'].includes(name)) return { why: `'${given}' is not ${FORMS}` }
  if (a === undefined || b === undefined || parts.length !== 2) {
    return { why: `${name} takes two numbers, '${given}' has ${parts.filter((part) => part !== '').length}` }
  }
  if (name === 'lognormal') return lognormal(a, b)
  return name === 'normal' ? normalOf(a, b) : uniform(a, b)
}

/** A whole number of tokens, from 1 to `MAX_TOKENS`. */
export function drawTokens(distribution: Distribution, random: Random): number {
  switch (distribution.kind) {
    case 'constant':
      return distribution.value
    case 'normal':
      return clamp(distribution.mean + distribution.sd * normal(random))
    case 'lognormal':
      return clamp(Math.exp(distribution.mu + distribution.sigma * normal(random)))
    case 'uniform':
      return distribution.min + Math.floor(random() * (distribution.max - distribution.min + 1))
  }
}

/** The mean, the cuts at both ends left out of account. */
export function meanTokens(distribution: Distribution): number {
  switch (distribution.kind) {
    case 'constant':
      return distribution.value
    case 'normal':
      return distribution.mean
    case 'lognormal':
      return Math.min(MAX_TOKENS, Math.exp(distribution.mu + distribution.sigma ** 2 / 2))
    case 'uniform':
      return (distribution.min + distribution.max) / 2
  }
}

function constant(text: string): Parsed {
  const value = numberOf(text)
  if (value === undefined) return { why: `'${text}' is not ${FORMS}` }
  return isTokens(value) ? { distribution: { kind: 'constant', value } } : { why: `must be ${RANGE}, not ${text}` }
}

function normalOf(first: string, second: string): Parsed {
  const [mean, sd] = [numberOf(first), numberOf(second)]
  if (mean === undefined || sd === undefined) return notNumbers('normal', first, second)
  if (mean < 1 || mean > MAX_TOKENS)
    return { why: `the mean of normal(mean,sd) must be from 1 to ${MAX}, not ${first}` }
  if (sd < 0) return { why: `the standard deviation of normal(mean,sd) must not be negative, and is ${second}` }
  return { distribution: { kind: 'normal', mean, sd } }
}

function lognormal(first: string, second: string): Parsed {
  const [mu, sigma] = [numberOf(first), numberOf(second)]
  if (mu === undefined || sigma === undefined) return notNumbers('lognormal', first, second)
  if (sigma < 0) return { why: `the sigma of lognormal(mu,sigma) must not be negative, and is ${second}` }
  if (sigma > MAX_SIGMA) return { why: `the sigma of lognormal(mu,sigma) must be at most ${MAX_SIGMA}, not ${second}` }
  if (mu < 0) return { why: `the mu of lognormal(mu,sigma) must not be negative, and is ${first}` }
  if (mu > Math.log(MAX_TOKENS)) {
    const meant = mu <= MAX_TOKENS ? `; for a median of ${first} tokens write lognormal(${lnOf(mu)},${second})` : ''
    return { why: `the mu of lognormal(mu,sigma) is the mean of ln(tokens), and ${first} is too large${meant}` }
  }
  return { distribution: { kind: 'lognormal', mu, sigma } }
}

function uniform(first: string, second: string): Parsed {
  const [min, max] = [numberOf(first), numberOf(second)]
  if (min === undefined || max === undefined) return notNumbers('uniform', first, second)
  if (!isTokens(min)) return { why: `the lower end of uniform(min,max) must be ${RANGE}, not ${first}` }
  if (!isTokens(max)) return { why: `the upper end of uniform(min,max) must be ${RANGE}, not ${second}` }
  if (min > max) return { why: `uniform(${first},${second}) ends below its beginning` }
  return { distribution: { kind: 'uniform', min, max } }
}

const MAX = '2,000,000'
const RANGE = `a whole number from 1 to ${MAX}`

function notNumbers(name: string, ...parts: string[]): Parsed {
  const wrong = parts.find((part) => numberOf(part) === undefined)
  return { why: `${name} takes two numbers, and '${wrong}' is none` }
}

/** '-1' is a number here, so that the message can say that it is negative. */
function numberOf(text: string): number | undefined {
  return NUMBER.test(text) ? Number(text) : parseCount(text)
}

function isTokens(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MAX_TOKENS
}

function clamp(tokens: number): number {
  return Math.max(1, Math.min(MAX_TOKENS, Math.round(tokens)))
}

function lnOf(value: number): string {
  return String(Math.round(Math.log(value) * 100) / 100)
}
