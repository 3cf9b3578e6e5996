// The word that a mistyped one stands for, and nothing where none is near: a wrong suggestion is worse than none.
import { expect, test } from 'vitest'
import { didYouMean } from '../../src/parse/near.ts'

const COMMANDS = ['bench', 'plan', 'doctor', 'gateway', 'start', 'compare', 'check', 'history', 'sweep']
const FLAGS = ['model', 'prompt', 'prompts', 'requests', 'concurrency', 'ca', 'slo', 'step', 'url', 'http2', 'rps']
const VALUES = ['chat', 'rag', 'code-agent', 'constant', 'poisson', 'gamma', 'embeddings', 'aws', 'gcp', 'azure']

test.each([
  // Two neighbours in the wrong order are one slip.
  ['bnech', COMMANDS, 'bench'],
  ['benhc', COMMANDS, 'bench'],
  ['plna', COMMANDS, 'plan'],
  ['strat', COMMANDS, 'start'],
  ['comapre', COMMANDS, 'compare'],
  ['chekc', COMMANDS, 'check'],
  ['modle', FLAGS, 'model'],
  ['chta', VALUES, 'chat'],
  ['possion', VALUES, 'poisson'],
  // A letter too many, too few, or another.
  ['docter', COMMANDS, 'doctor'],
  ['gatewy', COMMANDS, 'gateway'],
  ['embedings', VALUES, 'embeddings'],
  ['awss', VALUES, 'aws'],
  ['concurency', FLAGS, 'concurrency'],
  // A beginning that only one of them has.
  ['compar', COMMANDS, 'compare'],
  ['conc', FLAGS, 'concurrency'],
  ['Chat', VALUES, 'chat'],
  ['concurrencies', FLAGS, 'concurrency'],
])('%s of %j is %s', (word, known, meant) => {
  expect(didYouMean(word, known)).toBe(meant)
})

test.each([
  ['c', FLAGS],
  ['n', FLAGS],
  ['csv', FLAGS],
  ['buckets', ['budgets']],
  ['cert', ['cacert']],
  ['output-dir', ['output-len']],
  ['trace', FLAGS],
  ['html', FLAGS],
  ['stray', COMMANDS],
  ['frobnicate', COMMANDS],
  ['x', ['aws']],
  ['anything', []],
])('nothing is near to %s', (word, known) => {
  expect(didYouMean(word, known)).toBeUndefined()
})
