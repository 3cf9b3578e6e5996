import { expect, onTestFinished, test } from 'vitest'
import { CASSETTE, readCassette } from '../../../src/provider/cassette/cassette.ts'
import { refusalOf } from '../../support/refusal.ts'
import { tempDir } from '../../support/temp-dir.ts'

const HEAD = `${JSON.stringify({ schema: CASSETTE, kt: 'test', startedAt: 'then', upstream: 'https://x' })}\n`
const REQUEST = { method: 'POST', path: '/v1/x', kind: 'POST /v1/x', model: null, stream: false, bytes: 2, digest: 'd' }
const ANSWER = {
  ...{ at: 'then', request: REQUEST, connectMs: 0, status: 200, headMs: 1, headers: [], leftOut: [] },
  ...{ chunks: [{ ms: 1, text: '{}' }], end: 'whole', endMs: 1 },
}

function lines(...answers: readonly object[]): string {
  return answers.map((answer) => `${JSON.stringify(answer)}\n`).join('')
}

function written(text: string): string {
  const dir = tempDir()
  onTestFinished(() => dir.remove())
  return dir.write('c.jsonl', text)
}

test.each([
  [
    'of another version',
    HEAD.replace('/1', '/2'),
    1,
    `the cassette is of version kt.cassette/2, and this kt reads ${CASSETTE}`,
  ],
  ['no cassette', '{"a":1}\n', 1, `not a cassette: it does not begin with a line {"schema":"${CASSETTE}", ...}`],
  ['a picture', '\u0089PNG\r\n\n', 1, `not a cassette: it does not begin with a line {"schema":"${CASSETTE}", ...}`],
  ['nothing', '', 1, `not a cassette: it does not begin with a line {"schema":"${CASSETTE}", ...}`],
  ['a head alone', HEAD, 1, 'the cassette holds no answer'],
  ['cut before its first answer', `${HEAD}{"at":"th`, 2, 'the cassette is cut off before its first whole answer'],
  ['damaged', `${HEAD}{"at":"th\n${lines(ANSWER)}`, 2, 'not JSON: the line is damaged'],
  [
    'without a time of its head',
    HEAD + lines(ANSWER, { ...ANSWER, headMs: undefined }),
    3,
    'the answer has no times (headMs is missing)',
  ],
  [
    'without times of its pieces',
    HEAD + lines({ ...ANSWER, chunks: [{ ms: 1 }, { text: 'a' }] }),
    2,
    'the answer has no times (chunks[1].ms is missing)',
  ],
  ['without an end', HEAD + lines({ ...ANSWER, endMs: undefined }), 2, 'the answer has no times (endMs is missing)'],
  ['of other members', HEAD + lines({ ...ANSWER, status: 'fine' }), 2, 'not a recorded answer: status: '],
])('a file that is %s is refused in one sentence with its line', (_what, text, line, why) => {
  const path = written(text)
  const { message } = refusalOf(() => readCassette(path))
  expect(message.split('\n')).toHaveLength(1)
  expect(message).toContain(`${path}, line ${line}: ${why}`)
})

test('one that was cut off is read up to its last whole answer, and that is said', () => {
  const whole = HEAD + lines(ANSWER, ANSWER)
  const path = written(whole + lines(ANSWER).slice(0, -20))
  const { answers, notes, wholeBytes } = readCassette(path)
  expect(answers.map(({ line }) => line)).toEqual([2, 3])
  expect(notes).toEqual([`${path}, line 4: the cassette is cut off here; 2 answers are whole before it`])
  expect(wholeBytes).toBe(whole.length)
})
