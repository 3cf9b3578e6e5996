/** What --prompts reads, where it is not to be found out: the format of the file, its columns, how many of its rows. */
import { failure } from '../../errors.ts'
import { flagGroup, oneOf } from '../../parse/flags.ts'
import { rulesOf } from '../../parse/parse-flags.ts'
import { positiveCount } from '../../parse/quantity.ts'
import { columnNames } from '../../workload/datasets/columns.ts'
import { DATASET_FORMATS } from '../../workload/datasets/read.ts'

const { text } = flagGroup('REQUEST')

export const datasetFlags = {
  'dataset-format': text(
    oneOf(DATASET_FORMATS).optional(),
    'what the file of --prompts is, or its rows: json (and JSON Lines), csv, parquet, text, sharegpt, openai-batch, ' +
      'aiperf, aiperf-dag, guidellm, vllm [default: found out]',
  ),
  'dataset-columns': text(
    columnNames.optional(),
    'columns of --prompts: prompt, messages, system, context, answer, output (tokens), session, delay (ms) ' +
      '[default: found by their names]',
    { example: 'prompt=question,output=max_len' },
  ),
  'dataset-sample': text(
    positiveCount.optional(),
    'draw this many rows of --prompts by --seed, in a drawn order [default: all, in their order]',
  ),
}

const NAMES = ['dataset-format', 'dataset-columns', 'dataset-sample'] as const
const rule = rulesOf<{ [name in (typeof NAMES)[number] | 'prompts']?: unknown }>()

export const DATASET_RULES = NAMES.map((name) =>
  rule(
    [name, 'prompts'],
    (given) =>
      given[name] !== undefined &&
      given.prompts === undefined &&
      failure(`--${name} is about the file of --prompts`, 'Name the file: --prompts FILE.'),
  ),
)
