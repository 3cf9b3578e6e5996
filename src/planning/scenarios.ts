/** `--what-if key=value,key=value`: a scenario is the same command with other options, so its keys are the options' names. */
import { UserError } from '../errors.ts'
import { didYouMean } from '../parse/did-you-mean.ts'
import { type PlanFlags, planFlags } from './plan-flags.ts'

export interface Scenario {
  name: string
  flags: PlanFlags
}

const BOOLEANS = new Set(['upstream-keepalive', 'allow-gaps'])

export function scenariosOf(flags: PlanFlags, given: readonly string[]): Scenario[] {
  return given.map((text) => ({ name: text, flags: { ...flags, ...changesOf(text) } }))
}

function changesOf(text: string): PlanFlags {
  const known = Object.keys(planFlags)
  // A comma inside a value (a mix) is not followed by an option's name.
  const parts = text.split(/,(?=\s*([a-z0-9-]+)\s*=)/).filter((_, i) => i % 2 === 0)
  const joined: string[] = []
  for (const part of parts) {
    if (known.includes(keyOf(part)) || joined.length === 0) joined.push(part)
    else joined[joined.length - 1] += `,${part}`
  }
  return Object.fromEntries(joined.map((part) => change(part, known)))
}

function keyOf(part: string): string {
  return part.split('=')[0]?.trim() ?? ''
}

function change(part: string, known: readonly string[]): [string, unknown] {
  const at = part.indexOf('=')
  const [key, value] = [keyOf(part), part.slice(at + 1).trim()]
  if (at < 0 || value === '')
    throw new UserError(
      `--what-if: '${part.trim()}' is not option=value`,
      'Example: --what-if output-per-worker=1.5M,upstream=h2',
    )
  if (!known.includes(key)) {
    const near = didYouMean(key, known)
    throw new UserError(
      `--what-if: there is no option '${key}'${near ? ` (did you mean '${near}'?)` : ''}`,
      "The keys are the options of 'kt plan', without dashes in front.",
    )
  }
  if (BOOLEANS.has(key)) {
    if (value !== 'true' && value !== 'false')
      throw new UserError(`--what-if: ${key} is true or false, not '${value}'`, `Write ${key}=false.`)
    return [key, value === 'true']
  }
  if (key === 'upstream' && value !== 'h1' && value !== 'h2')
    throw new UserError(`--what-if: upstream is h1 or h2, not '${value}'`, 'Write upstream=h2.')
  return key === 'from-bench' ? [key, value.split(' ')] : [key, value]
}
