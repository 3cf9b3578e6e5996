/**
 * How many tokens: '500', 'normal(500,100)', 'lognormal(6.6,0.98)', 'uniform(100,900)'. Parsed, printed and drawn here;
 * pure. The log-normal is given by the mean and the sigma of the logarithm of the token count, as fits of traces are
 * published (its median is e^mu); the simulated provider's delays are given by their median instead, and carry a unit.
 */
import { failure, type Result, success } from '../errors.ts'
import { normalCdf, normalDensity } from '../stats/distributions.ts'
import { normal, type Random } from '../stats/random.ts'
import { parseCount } from '../units.ts'

export type TokenDistribution =
  | { kind: 'constant'; value: number }
  | { kind: 'normal'; mean: number; sd: number }
  | { kind: 'lognormal'; mu: number; sigma: number }
  | { kind: 'uniform'; min: number; max: number }

/** Longer than any context window in use; a draw beyond it is cut to it, one below 1 is raised to 1. */
export const MAX_TOKENS = 2_000_000
/** Where a wide distribution of output tokens is cut: as far as current models go. */
const MAX_OUTPUT_TOKENS = 131_072
const MAX_SIGMA = 5
const FORMS = "a count such as '500', or normal(500,100), lognormal(6.6,0.98), uniform(100,900)"
const CALL = /^([a-z]+)\s*\(([^()]*)\)$/i
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/

/** Reads a distribution, or says in words why it is none. */
export function parseDistribution(text: string): Result<TokenDistribution> {
  const given = text.trim()
  const call = CALL.exec(given)
  if (!call) return constant(given)
  const name = (call[1] ?? '').toLowerCase()
  const parts = (call[2] ?? '').split(',').map((part) => part.trim())
  const [a, b] = parts
  const parse = Object.hasOwn(PARSERS, name) ? PARSERS[name as CallName] : undefined
  if (!parse) return failure(`'${given}' is not ${FORMS}`)
  if (a === undefined || b === undefined || parts.length !== 2) {
    return failure(`${name} takes two numbers, '${given}' has ${parts.filter((part) => part !== '').length}`)
  }
  return parse(a, b)
}

/** The distributions that are written as a name and two numbers. */
type CallName = Exclude<TokenDistribution['kind'], 'constant'>
const PARSERS: Record<CallName, (first: string, second: string) => Result<TokenDistribution>> = {
  normal: normalOf,
  lognormal,
  uniform,
}

/** A whole number of tokens, from 1 to `MAX_TOKENS`. */
export function drawTokens(distribution: TokenDistribution, random: Random): number {
  switch (distribution.kind) {
    case 'constant':
      return distribution.value
    case 'normal':
      return clamp(distribution.mean + distribution.sd * normal(random))
    case 'lognormal':
      return clamp(Math.exp(distribution.mu + distribution.sigma * normal(random)))
    case 'uniform':
      return distribution.min + Math.floor(random() * (distribution.max - distribution.min + 1))
    default:
      return distribution satisfies never
  }
}

/**
 * The most output tokens that a request may ask for where the user sets no limit; a plain count is meant as it stands.
 */
export function outputLimit(distribution: TokenDistribution): number {
  return distribution.kind === 'constant' ? MAX_TOKENS : MAX_OUTPUT_TOKENS
}

/**
 * The mean of what `drawTokens` draws, its cuts at both ends included, where a draw above `limit` counts as `limit`.
 */
export function meanTokens(distribution: TokenDistribution, limit = MAX_TOKENS): number {
  const most = Math.min(limit, MAX_TOKENS)
  switch (distribution.kind) {
    case 'constant':
      return Math.min(distribution.value, most)
    case 'normal':
      return normalMean(distribution.mean, distribution.sd, most)
    case 'lognormal':
      return lognormalMean(distribution.mu, distribution.sigma, most)
    case 'uniform':
      return uniformMean(distribution.min, distribution.max, most)
    default:
      return distribution satisfies never
  }
}

/** E[min(max(X, 1), most)] of a normal X. Rounding to whole tokens moves it by less than a thousandth of a token. */
function normalMean(mean: number, sd: number, most: number): number {
  if (sd === 0) return Math.min(most, clamp(mean))
  const [low, high] = [(1 - mean) / sd, (most - mean) / sd]
  const inside = mean * (normalCdf(high) - normalCdf(low)) + sd * (normalDensity(low) - normalDensity(high))
  return normalCdf(low) + inside + most * normalCdf(-high)
}

/**
 * The same of a log-normal X: the mean of its part below x is e^(mu + sigma^2 / 2) Phi((ln x - mu) / sigma - sigma).
 */
function lognormalMean(mu: number, sigma: number, most: number): number {
  if (sigma === 0) return Math.min(most, clamp(Math.exp(mu)))
  const [low, high] = [-mu / sigma, (Math.log(most) - mu) / sigma]
  const inside = Math.exp(mu + sigma ** 2 / 2) * (normalCdf(high - sigma) - normalCdf(low - sigma))
  return normalCdf(low) + inside + most * normalCdf(-high)
}

function uniformMean(min: number, max: number, most: number): number {
  if (most >= max) return (min + max) / 2
  if (most < min) return most
  const below = most - min + 1
  return (below * ((min + most) / 2) + (max - most) * most) / (max - min + 1)
}

function constant(text: string): Result<TokenDistribution> {
  const value = numberOf(text)
  if (value === undefined) return failure(`'${text}' is not ${FORMS}`)
  return isTokens(value) ? success({ kind: 'constant', value }) : failure(`must be ${RANGE}, not ${text}`)
}

function normalOf(first: string, second: string): Result<TokenDistribution> {
  const [mean, sd] = [numberOf(first), numberOf(second)]
  if (mean === undefined || sd === undefined) return notNumbers('normal', first, second)
  if (mean < 1 || mean > MAX_TOKENS)
    return failure(`the mean of normal(mean,sd) must be from 1 to ${MAX}, not ${first}`)
  if (sd < 0) return failure(`the standard deviation of normal(mean,sd) must not be negative, and is ${second}`)
  return success({ kind: 'normal', mean, sd })
}

function lognormal(first: string, second: string): Result<TokenDistribution> {
  const [mu, sigma] = [numberOf(first), numberOf(second)]
  if (mu === undefined || sigma === undefined) return notNumbers('lognormal', first, second)
  if (sigma < 0) return failure(`the sigma of lognormal(mu,sigma) must not be negative, and is ${second}`)
  if (sigma > MAX_SIGMA) return failure(`the sigma of lognormal(mu,sigma) must be at most ${MAX_SIGMA}, not ${second}`)
  if (mu < 0) return failure(`the mu of lognormal(mu,sigma) must not be negative, and is ${first}`)
  if (mu > Math.log(MAX_TOKENS)) {
    const meant = mu <= MAX_TOKENS ? `; for a median of ${first} tokens write lognormal(${lnOf(mu)},${second})` : ''
    return failure(`the mu of lognormal(mu,sigma) is the mean of ln(tokens), and ${first} is too large${meant}`)
  }
  return success({ kind: 'lognormal', mu, sigma })
}

function uniform(first: string, second: string): Result<TokenDistribution> {
  const [min, max] = [numberOf(first), numberOf(second)]
  if (min === undefined || max === undefined) return notNumbers('uniform', first, second)
  if (!isTokens(min)) return failure(`the lower end of uniform(min,max) must be ${RANGE}, not ${first}`)
  if (!isTokens(max)) return failure(`the upper end of uniform(min,max) must be ${RANGE}, not ${second}`)
  if (min > max) return failure(`uniform(${first},${second}) ends below its beginning`)
  return success({ kind: 'uniform', min, max })
}

const MAX = '2,000,000'
const RANGE = `a whole number from 1 to ${MAX}`

function notNumbers(name: string, ...parts: string[]): Result<TokenDistribution> {
  const wrong = parts.find((part) => numberOf(part) === undefined)
  return failure(`${name} takes two numbers, and '${wrong}' is none`)
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
