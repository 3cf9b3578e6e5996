// Datasets as a user meets them: what is sent first, and what is wrong, before anything is sent.
import { afterAll, expect, it } from 'vitest'
import { run as kt } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'
import { fixture } from '../workload/datasets/sent.ts'

const dir = tempDir()
afterAll(dir.remove)

it('--dry-run shows the first request of the dataset, by any name of the flag', async () => {
  const columns = ['--dataset-columns', 'prompt=question,output=max_len']
  for (const flag of ['--prompts', '--dataset']) {
    const { code, stdout } = await kt(['bench', '--dry-run', '--json', flag, fixture('questions.csv'), ...columns])
    expect(code).toBe(0)
    const { request, sends } = JSON.parse(stdout)
    const { messages, max_tokens } = JSON.parse(request.body)
    expect(messages[0].content).toMatch(/^What is 2 \+ 2, in one word\? kt[a-z]{16}$/)
    expect(max_tokens).toBe(4)
    // Of the two rows one asks for 4 tokens, the other for what answers usually have.
    expect(sends.outputTokens).toBe((4 + 256) / 2)
  }
})

it('a run says what it leaves out, and sends the rest', async () => {
  const run = ['bench', '--requests', '20', '--concurrency', '2', '--max-tokens', '4', '--no-jit-warmup', '--json']
  const { code, stdout, stderr } = await kt([...run, '--prompts', fixture('sharegpt.json')])
  expect(code, stderr).toBe(0)
  expect(stderr).toContain('1 row asks nothing and is left out')
  expect(JSON.parse(stdout).load.workload.name).toBe('sharegpt.json')
})

it.each([
  ['a row', ['--prompts', 'bad.jsonl'], /bad\.jsonl:2: output_tokens: must be at least 1/],
  ['columns', ['--prompts', 'bad.jsonl', '--dataset-columns', 'promt=a'], /no column is for 'promt' \(did you mean/],
  ['a format', ['--prompts', 'bad.jsonl', '--dataset-format', 'sharegtp'], /did you mean 'sharegpt'/],
  ['flags without a file', ['--dataset-sample', '5'], /--dataset-sample is about the file of --prompts/],
  ['a sample of none', ['--prompts', 'bad.jsonl', '--dataset-sample', '0'], /--dataset-sample/],
])('%s that is wrong is refused with exit 2', async (_, args, message) => {
  dir.write('bad.jsonl', '{"prompt": "a", "output_tokens": 5}\n{"prompt": "b", "output_tokens": 0}\n')
  const { code, stdout, stderr } = await kt(['bench', ...args], {}, dir.path)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(message)
  expect(stderr).not.toMatch(/\n\s+at /)
})
