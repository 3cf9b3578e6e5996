/** What a run may cost, and the price of its tokens where kt's own table has none, or another one. */
import { failure, type Result, success } from '../../errors.ts'
import type { TokenPrice } from '../../load/plan.ts'
import { flagGroup } from '../../parse/flags.ts'
import { didYouMean } from '../../parse/near.ts'
import { parsedBy } from '../../parse/quantity.ts'
import { parseCount } from '../../units.ts'

const { text } = flagGroup('LOAD')

/** '$5', '5', '$1,000' -> US dollars. */
function parseUsd(given: string): number | undefined {
  return parseCount(given.trim().replace(/^\$\s*/, ''))
}

const budget = parsedBy((given): Result<number> => {
  const usd = parseUsd(given)
  if (usd === undefined) return failure(`'${given}' is not a sum in US dollars`, "Give one such as '$5' or '0.50'.")
  return usd > 0 ? success(usd) : failure(`must be above 0, not ${given}`)
}, "a sum in US dollars such as '$5'")

const FORM = "Give both, in US dollars a million tokens: 'input=0.15,output=0.60'."
const PARTS = ['input', 'output']

/** 'input=0.15,output=0.60' */
function parsePrice(given: string): Result<TokenPrice> {
  const prices = new Map<string, number>()
  for (const part of given.split(',')) {
    const [, name = '', sum = ''] = /^\s*([^=\s]*)\s*=\s*(.*?)\s*$/.exec(part) ?? []
    if (!PARTS.includes(name)) {
      const near = didYouMean(name, PARTS)
      return failure(`'${part.trim()}' is no price${near ? ` (did you mean '${near}'?)` : ''}`, FORM)
    }
    if (prices.has(name)) return failure(`gives ${name} twice`, FORM)
    const usd = parseUsd(sum)
    if (usd === undefined || usd < 0) return failure(`'${sum}' is not a sum in US dollars`, FORM)
    prices.set(name, usd)
  }
  const [inputUsd, outputUsd] = PARTS.map((name) => prices.get(name))
  if (inputUsd === undefined || outputUsd === undefined) {
    return failure(`lacks the price of ${inputUsd === undefined ? 'input' : 'output'} tokens`, FORM)
  }
  return inputUsd + outputUsd > 0 ? success({ inputUsd, outputUsd }) : failure('both prices are 0', FORM)
}

export const priceFlags = {
  'cost-budget': text(
    budget.optional(),
    'stop when the tokens that are spent cost this many US dollars, at list price or that of --price',
    { example: "'$5'" },
  ),
  price: text(
    parsedBy(parsePrice).optional(),
    "price in US dollars a million tokens [default: kt's dated table of list prices]",
    { example: 'input=0.15,output=0.60' },
  ),
}
