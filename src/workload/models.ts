/**
 * Several models in one run, such as LoRA adapters behind one server: which share of the requests asks for which, drawn
 * by the seed. Each model has parts of the workload of its own, equal to those of the others but for the name.
 */
import { failure, type Result, success } from '../errors.ts'
import { parsedBy } from '../parse/quantity.ts'
import type { ModelShare, WorkloadSpec } from './workload.ts'

/** 'a', 'a,b' or 'a=3,b=1'. */
export const modelShares = parsedBy((text): Result<ModelShare[]> => {
  const shares = text.split(',').map(toShare)
  const [bad] = shares.filter(({ name, weight }) => name === '' || !(weight > 0 && Number.isFinite(weight)))
  if (text === '') return failure('must not be empty')
  if (bad) return failure(`'${text}' is neither a model nor several with weights above 0, such as 'a=3,b=1'`)
  const twice = shares.find(({ name }, i) => shares.findIndex((other) => other.name === name) !== i)
  return twice ? failure(`'${twice.name}' stands there twice`) : success(shares)
}, "a model, or several with weights such as 'a=3,b=1'")

/** What follows the last `=` is a weight where it is a number: names of models may hold one. */
function toShare(text: string): ModelShare {
  const [, name, weight] = /^(.*)=\s*([-+.\d]+)\s*$/.exec(text) ?? []
  return name === undefined ? { name: text.trim(), weight: 1 } : { name: name.trim(), weight: Number(weight) }
}

/** One workload of those of the single models, which are alike but for the model. */
export function mixModels(shares: readonly ModelShare[], write: (model: string) => WorkloadSpec): WorkloadSpec {
  const specs = shares.map(({ name }) => write(name))
  const [first] = specs
  if (!first) throw new Error('a workload without a model')
  if (specs.length === 1) return first
  const parts = specs.flatMap((spec, model) => {
    const weight = shares[model]?.weight ?? 1
    return spec.parts.map((part) => ({ ...part, model, weight: part.weight * weight }))
  })
  const model = shares.map(({ name }) => name).join(', ')
  return { ...first, model, models: shares, parts }
}
