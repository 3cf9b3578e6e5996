// A whole answer, read from its bytes and by a full parse: both must agree wherever the bytes are enough.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AnswerScan } from '../../src/wire/answer-scan.ts'
import { parseJsonAnswer, readJsonAnswer } from '../../src/wire/json-answer.ts'
import { formatStamp } from '../../src/wire/stamp.ts'

/** Checks that both ways read the same; true when the bytes were enough. */
function agree(text: string | Buffer): boolean {
  const body = Buffer.isBuffer(text) ? text : Buffer.from(text)
  expect(readJsonAnswer(body), body.toString()).toEqual(parseJsonAnswer(body.toString('utf8')))
  return new AnswerScan().read(body)
}

const optional = { requiredKeys: [] }
const count = fc.oneof({ weight: 15, arbitrary: fc.nat() }, fc.constantFrom(null, -1, 0.5, 1e30, '7', true))
const details = fc.oneof(
  fc.constant(null),
  fc.record({ reasoning_tokens: count, audio_tokens: count }, optional),
  count,
)
const usage = fc.record(
  {
    prompt_tokens: count,
    completion_tokens: count,
    input_tokens: count,
    output_tokens: count,
    completion_tokens_details: details,
    output_tokens_details: details,
    prompt_tokens_details: fc.jsonValue(),
  },
  optional,
)
const list = fc.oneof({ weight: 20, arbitrary: fc.array(fc.jsonValue(), { maxLength: 3 }) }, fc.jsonValue())
const letters = fc.string({ unit: fc.constantFrom(...'abcz'), minLength: 16, maxLength: 16 })
const stamp = fc.record({ nonce: letters, attempt: fc.nat(9), providerUs: fc.nat() }).map(formatStamp)
const anError = fc.record(
  {
    object: fc.constantFrom('chat.completion', 'list', 'error', 'response'),
    status: fc.constantFrom('failed', 503),
    code: fc.constantFrom(0, 200, 503, 'bad'),
    error: fc.constantFrom<unknown[]>(null, false, {}, 'no', { message: 'no' }),
    message: fc.constant('no'),
  },
  optional,
)
const reason = fc.constantFrom('stop', 'error', '', null, 5)
const text = fc.oneof({ weight: 4, arbitrary: fc.constantFrom('a', 'é', '\n') }, fc.constantFrom('', null))
const message = fc.oneof(
  { weight: 9, arbitrary: fc.record({ content: text }) },
  { weight: 3, arbitrary: fc.record({ content: text, refusal: text, thoughts: text, tool_calls: list }, optional) },
  fc.jsonValue(),
)
const vectors = fc.array(fc.record({ embedding: fc.constantFrom([], [0.5], '', 'AA', null) }, optional))
const choices = fc.array(
  fc.oneof(
    { weight: 9, arbitrary: fc.record({ message }) },
    { weight: 5, arbitrary: fc.record({ finish_reason: reason, message, text }, optional) },
    fc.jsonValue(),
  ),
  {
    maxLength: 3,
  },
)
const someChoices = fc.record({ choices: fc.oneof({ weight: 20, arbitrary: choices }, list) })
const someData = fc.record({ data: fc.oneof(vectors, list) })
const anyLists = fc.record({ choices, data: list, content: list }, optional)
const around = fc.record(
  {
    id: fc.string({ unit: 'binary' }),
    system_fingerprint: fc.oneof(stamp, stamp, fc.string({ unit: 'binary' }), fc.constant(null)),
    usage: fc.oneof(
      { weight: 20, arbitrary: usage },
      { weight: 20, arbitrary: fc.record({ prompt_tokens: fc.nat(), completion_tokens: fc.nat(1) }) },
      fc.jsonValue(),
    ),
    other: fc.jsonValue(),
  },
  optional,
)

const answer = fc
  .tuple(around, fc.oneof({ weight: 5, arbitrary: someChoices }, { weight: 2, arbitrary: someData }, anyLists))
  .map(([members, lists]) => ({ ...lists, ...members }))

describe('a whole answer', () => {
  it('is read by its bytes as providers send it', () => {
    for (const taken of [
      '{"id":"c","object":"chat.completion",' +
        '"choices":[{"index":0,"message":{"content":"é \\u00e9 \\n"},"logprobs":null}],"usage":{"prompt_tokens":5,' +
        '"completion_tokens":3,"completion_tokens_details":{"reasoning_tokens":1}},"system_fingerprint":"fp"}',
      '{"object":"list","data":[{"embedding":[0.1,-2,3.5e-05,1E+2]}],"model":"m",' +
        '"usage":{"prompt_tokens":5,"total_tokens":5}}',
      ' { "choices" : [ { "text" : "a" } ] , "usage" : { "input_tokens" : 5 , "output_tokens" : 7 } } \n',
      '{"data":[{},{"embedding":"AAAA"}],"usage":null}',
    ]) {
      expect(agree(taken), taken).toBe(true)
    }
  })

  it('is left to the full parse when it is anything else', () => {
    for (const left of [
      '',
      'hello',
      '[]',
      '{}',
      '{"choices":null}',
      '{"choices":[{"message":{"content":"a"}}]',
      '{"choices":[{"message":{"content":"a"}}]}x',
      '{"choices":[{"message":{"content":"a"}}],}',
      '{"choices":[{"message":{"content":"a"}},]}',
      '{"choices":[{"message":{"content":"a"}},1e]}',
      '{"choices":[{"message":{"content":"a"}}],"error":{"message":"no"}}',
      '{"choices":[{"message":{"content":"a"}}],"error":false}',
      '{"type":"error","content":[]}',
      '{"object":"error","message":"no","data":[{"embedding":[1]}]}',
      '{"object":"\\u0065rror","message":"no","data":[{"embedding":[1]}]}',
      '{"code":503,"message":"no","data":[{"embedding":[1]}]}',
      '{"object":"response","status":"failed","output":[]}',
      '{"choices":[{"message":{"content":"a"},"finish_reason":"stop"},{"finish_reason":"error"}]}',
      '{"choices":[{"message":{"content":"a"},"finish_reason":"\\u0065rror"}]}',
      '{"choices":[{"message":{"content":"a"}}],"usage":{"prompt_tokens":1,"prompt_tokens":2}}',
      '{"choices":[{"message":{"content":"a"}}],"usage":{"prompt_tokens":1.5}}',
      '{"choices":[{"message":{"content":"a"}}],"usage":{"completion_tokens_details":{},' +
        '"output_tokens_details":{"reasoning_tokens":2}}}',
      '{"candidates":[],"usageMetadata":{"promptTokenCount":3}}',
      '{"choices":[{"message":{"content":"a"}}],"system_fingerprint":"a","system_fingerprint":"b"}',
      '{"choices":[{"message":{"content":"a"}}],"us\\u0061ge":{"prompt_tokens":3}}',
      `{"choices":${'['.repeat(99)}${']'.repeat(99)}}`,
      '{"choices":[{"message":{"content":"a"}},"\u0007"]}',
      '{"choices":[]}',
      '{"choices":[{"message":{"content":""}}]}',
      '{"choices":[{"message":{"content":null,"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}}]}',
      '{"choices":[{"message":{"content":"a","content":""}}]}',
      '{"choices":[{"message":{"content":"a"},"message":{}}]}',
      '{"choices":[{"text":"","message":{"content":"a"}}]}',
      '{"choices":[{},{"message":{"content":"a"}}]}',
      '{"choices":[{"message":{"content":"a"}}],"choices":[]}',
      '{"data":[{"embedding":[]}]}',
      '{"data":[{"embedding":[1],"embedding":[]}]}',
      '{"content":[{"type":"text","text":"a"}]}',
    ]) {
      expect(agree(left), left).toBe(false)
    }
  })

  it('says the same by either way', () => {
    let taken = 0
    fc.assert(
      fc.property(answer, anError, fc.constantFrom(undefined, 1), (json, error, space) => {
        if (agree(JSON.stringify(json, null, space))) taken++
        agree(JSON.stringify({ ...json, ...error }, null, space))
      }),
      { numRuns: 3_000 },
    )
    expect(taken).toBeGreaterThan(100)
  })

  it('says the same when it is damaged', () => {
    const whole = Buffer.from(
      '{"id":"é","choices":[{"message":{"content":"a\\n"}},true,-1.5],' +
        '"usage":{"prompt_tokens":5,"completion_tokens":3},"system_fingerprint":"fp"}',
    )
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.constantFrom('set', 'cut', 'add'), (at, byte, how) => {
        const middle = how === 'cut' ? Buffer.alloc(0) : Buffer.from([byte])
        agree(Buffer.concat([whole.subarray(0, at), middle, whole.subarray(how === 'add' ? at : at + 1)]))
      }),
      { numRuns: 5_000 },
    )
  })
})
