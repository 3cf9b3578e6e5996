// What is wrong with a dataset is said with its place, and with a row that would be right.

import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import type { WorkloadOptions } from '../../../src/workload/choose.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { asks, fixture, sendAll } from './sent.ts'

const dir = tempDir()
afterAll(dir.remove)

function refusal(name: string, content: string | Buffer, options: Partial<WorkloadOptions> = {}): string {
  writeFileSync(dir.file(name), content)
  try {
    sendAll(dir.file(name), options)
  } catch (error) {
    const { message, next } = error as { message: string; next: string }
    return `${message.replaceAll(dir.file(name), name)} | ${next}`
  }
  throw new Error('it was not refused')
}

const human = (value: string) => `{"conversations": [{"from": "human", "value": "${value}"}]}`

describe.each<[string, string, string | Buffer, Partial<WorkloadOptions>, RegExp]>([
  ['an element of a list', 'a.json', `[\n  ${human('a')},\n  {"conversations": [}]\n]`, {}, /^a\.json:3:22: not JSON/],
  ['a comma too many', 'a.json', `[${human('a')},\n]`, {}, /^a\.json:2:1: not JSON: a row is missing here/],
  [
    'a list that is cut',
    'a.json',
    `[${human('a')},\n {"conv`,
    {},
    /^a\.json:2:2: not JSON: the file ends within this row/,
  ],
  ['more than a list', 'a.json', `[${human('a')}]\n{}`, {}, /^a\.json:2:1: not JSON: the list has ended/],
  ['a line of JSON', 'a.jsonl', '{"prompt": "a"}\n{"prompt": "a" "b"}', {}, /^a\.jsonl:2:16: not JSON: Expected/],
  ['a line that is cut', 'a.jsonl', '{"prompt": "a"}\n{"prompt": ', {}, /^a\.jsonl:2:12: not JSON: Unexpected end/],
  [
    'a speaker',
    'a.jsonl',
    `${human('a')}\n{"conversations": [{"from": "humann", "value": "b"}]}`,
    {},
    /^a\.jsonl:2: conversations\.0\.from: nobody is called 'humann' here \(did you mean 'human'\?\) \| A row is \{"/,
  ],
  ['a dataset of answers', 'a.json', '[{"conversations": []}]', {}, /^a\.json: nobody asks anything in its 1 rows/],
  [
    'no number',
    'a.jsonl',
    '{"prompt": "a", "output_tokens": "NaN"}',
    {},
    /^a\.jsonl:1: output_tokens: expected a number/,
  ],
  ['no tokens', 'a.jsonl', '{"prompt": "a", "output_tokens": 0}', {}, /^a\.jsonl:1: output_tokens: must be at least 1/],
  ['half a token', 'a.csv', 'prompt,max_tokens\na,1.5\n', {}, /^a\.csv:2: max_tokens: .*int/],
  ['a slip', 'a.jsonl', '{"prompt": "a", "output_token": 5}', {}, /did you mean 'output_tokens'\?/],
  ['other columns', 'a.jsonl', '{"body_text": "a"}', {}, /^a\.jsonl:1: neither a prompt nor messages in body_text/],
  [
    'a column that is not there',
    'a.csv',
    'question\na\n',
    { 'dataset-columns': { prompt: 'questoin' } },
    /^a\.csv:2: no column 'questoin' \(did you mean 'question'\?\) \| Its columns: question\./,
  ],
  ['an open quote', 'a.csv', 'prompt\nfine\n"never\ncloses\n', {}, /^a\.csv:3: a quote opens here and never closes/],
  ['a quote within', 'a.csv', 'prompt\na\nb "c" d\n', {}, /^a\.csv:3: Invalid Opening Quote/],
  ['a field too many', 'a.csv', 'prompt,max_tokens\na,5\nb,c,5\n', {}, /^a\.csv:3: 3 fields, and the titles are 2/],
  ['a title twice', 'a.csv', 'prompt,prompt\na,b\n', {}, /^a\.csv:1: the title 'prompt' stands there twice/],
  ['an empty field', 'a.csv', 'prompt,max_tokens\n,5\n', {}, /^a\.csv:2: prompt: must not be empty/],
  [
    'gzip that is cut',
    'a.jsonl.gz',
    gzipSync(`"a"\n${randomBytes(9_000).toString('hex')}`).subarray(0, 5_000),
    {},
    /^a\.jsonl\.gz, line \d: the gzip file is cut off here \| Copy the file again/,
  ],
  [
    'UTF-16 within gzip',
    'a.txt.gz',
    gzipSync(Buffer.from('\uFEFFa\n', 'utf16le')),
    {},
    /^a\.txt\.gz: its text is UTF-16/,
  ],
  [
    'Parquet within gzip',
    'a.parquet.gz',
    gzipSync(readFileSync(fixture('prompts.zstd.parquet'))),
    {},
    /^a\.parquet\.gz: a Parquet file within gzip \| Unpack it first/,
  ],
  ['UTF-16', 'a.txt', Buffer.from('\uFEFFa\n', 'utf16le'), {}, /^a\.txt: its text is UTF-16 \| Save it as UTF-8/],
  ['Latin-1', 'a.txt', Buffer.from('a\ncaf\xe9\n', 'latin1'), {}, /^a\.txt:2: not UTF-8 text/],
  [
    'a Parquet file that is cut',
    'a.parquet',
    readFileSync(fixture('prompts.zstd.parquet')).subarray(0, 900),
    {},
    /^a\.parquet: cannot read it as Parquet: .* \| Is the file whole\?/,
  ],
  ['no Parquet', 'a.parquet', 'prompt', {}, /^a\.parquet: not a Parquet file/],
  [
    'another endpoint',
    'a.jsonl',
    '{"url": "/v1/embeddings", "body": {"input": "a"}}',
    {},
    /^a\.jsonl:1: the row goes to \/v1\/embeddings, and --endpoint is chat \| Pass --endpoint embeddings\./,
  ],
  ['a sound', 'a.jsonl', '{"text": "a", "audio": "x.wav"}', {}, /^a\.jsonl:1: audio: kt sends texts and images only/],
  [
    'a file on disk',
    'a.jsonl',
    '{"text": "a", "image": "x.png"}',
    {},
    /^a\.jsonl:1: image: kt sends images by address/,
  ],
  ['no turns', 'a.jsonl', '{"turns": []}', {}, /^a\.jsonl:1: turns: must hold at least one turn/],
  [
    'a delay',
    'a.jsonl',
    '{"turns": [{"text": "a", "delay": -1}]}',
    {},
    /^a\.jsonl:1: turns\.0\.delay: must not be neg/,
  ],
  ['a prompt that is none', 'a.jsonl', '{"prompt": ["a"]}', {}, /^a\.jsonl:1: prompt: expected string/],
])('%s', (_, name, content, options, message) => {
  it('is refused', () => expect(refusal(name, content, options)).toMatch(message))
})

it('a BOM, Windows line ends and semicolons are read', () => {
  dir.write('b.csv', '\uFEFFprompt;output_tokens\r\n"a;b";7\r\n')
  expect(sendAll(dir.file('b.csv')).bodies).toEqual([asks('a;b', { max_tokens: 7 })])
})

it('a pipe is read like a file', () => {
  const fifo = dir.file('pipe')
  execFileSync('mkfifo', [fifo])
  // Two writers: a reader of a pipe gets a few bytes at a time.
  const writer = `(printf '{"prompt": "a"'; sleep 0.1; printf '}\\n') > '${fifo}' &`
  execFileSync('sh', ['-c', writer], { stdio: 'ignore' })
  expect(sendAll(fifo).bodies).toEqual([asks('a')])
})

it('a row that goes over many pieces of the file is whole', () => {
  const long = 'é"\\n'.repeat(300_000)
  dir.write('long.json', JSON.stringify([{ prompt: long }, { prompt: 'b' }], null, 2))
  dir.write('long.jsonl', `${JSON.stringify({ prompt: long })}\n{"prompt": "b"}`)
  dir.write('long.csv', `prompt\n"${long.replaceAll('"', '""')}"\nb\n`)
  for (const name of ['long.json', 'long.jsonl', 'long.csv']) {
    const { bodies } = sendAll(dir.file(name))
    expect(bodies[1], name).toEqual(asks('b'))
    const sent = JSON.stringify(bodies[0]?.messages)
    if (sent !== JSON.stringify([{ role: 'user', content: `${long} NONCE` }]))
      throw new Error(`${name}: the long prompt is another one`)
  }
})
