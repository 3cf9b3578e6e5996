import { describe, expect, it } from 'vitest'
import { StreamTimings } from '../../src/client/stream-timings.ts'
import { SseReader } from '../../src/wire/sse.ts'
import { formatStamp } from '../../src/wire/stamp.ts'
import { asEvents, streamNames, streamPayloads } from '../support/streams.ts'

/** Feeds `payloads` as events a millisecond apart. */
function watch(payloads: string[]): StreamTimings {
  const seen = new StreamTimings(() => {})
  feed(seen, payloads)
  return seen
}

function feed(seen: StreamTimings, payloads: string[]): void {
  for (const [i, payload] of payloads.entries()) seen.event(payload, (i + 1) * 1_000)
}

const chunk = (delta: object, rest: object = {}): string => JSON.stringify({ choices: [{ index: 0, delta }], ...rest })

describe('tokens in a stream', () => {
  it('a role-only delta, an empty delta and empty choices are not tokens', () => {
    const seen = watch([
      '{"choices":[],"prompt_filter_results":[]}',
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'Hel' }),
      chunk({ content: 'lo' }),
      chunk({}, { usage: { prompt_tokens: 3, completion_tokens: 2 } }),
      '[DONE]',
    ])
    expect(seen.firstTokenUs).toBe(3_000)
    expect(seen.lastTokenUs).toBe(4_000)
    expect(seen.tokenEvents).toBe(2)
    expect(seen.streamedTokens()).toBe(2)
    expect(seen.tpotUs()).toBe(1_000)
    expect(seen.ended).toBe(true)
  })

  it('an event without data keeps a connection alive, and is neither a token nor garbage', () => {
    const seen = watch(['', chunk({ content: 'a' }), '', '[DONE]'])
    expect([seen.events, seen.tokenEvents, seen.garbage, seen.ended]).toEqual([2, 1, undefined, true])
  })

  it('reasoning text and tool-call arguments are tokens', () => {
    const call = { tool_calls: [{ index: 0, function: { name: 'f', arguments: '{"a"' } }] }
    const seen = watch([
      chunk({ role: 'assistant' }),
      chunk({ reasoning_content: 'hm' }),
      chunk(call),
      chunk({ content: 'x' }),
    ])
    expect(seen.firstTokenUs).toBe(2_000)
    expect(seen.tokenEvents).toBe(3)
  })

  it('the name of a called tool, sound and a picture are output, whatever comes without characters', () => {
    for (const delta of [
      { tool_calls: [{ index: 0, id: 'call_1', function: { name: 'f', arguments: '' } }] },
      { tool_calls: [{ index: 0, type: 'custom', custom: { name: 'f', input: '' } }] },
      { function_call: { name: 'f', arguments: '' } },
      { audio: { id: 'a', data: 'UklGRg==' } },
      { images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBO' } }] },
    ]) {
      const seen = watch([chunk({ role: 'assistant', content: null }), chunk(delta), chunk({ content: 'a' }), '[DONE]'])
      expect([seen.firstTokenUs, seen.tokenEvents, seen.tpotUs()], JSON.stringify(delta)).toEqual([2_000, 2, 1_000])
    }
  })

  it('an empty call, empty sound and what is no output are none', () => {
    const seen = watch([
      chunk({ tool_calls: [{ index: 0, function: { arguments: '' } }] }),
      chunk({ audio: { id: 'a', expires_at: 7 } }),
      chunk({ annotations: [{ type: 'url_citation', url_citation: { url: 'https://a.example' } }] }),
      '[DONE]',
    ])
    expect([seen.tokenEvents, seen.unknown]).toEqual([0, []])
  })

  it('many tokens in an event: the first event holds its share of the characters', () => {
    const seen = watch([
      chunk({ content: 'a'.repeat(20) }),
      chunk({ content: 'b'.repeat(40) }),
      chunk({ content: 'c'.repeat(40) }, { usage: { prompt_tokens: 1, completion_tokens: 50 } }),
    ])
    // 50 tokens over 100 characters: 10 in the first event, 40 later, over 2 ms.
    expect(seen.tpotUs()).toBeCloseTo(2_000 / 40, 6)
  })

  it('everything in one event has no time per token', () => {
    expect(watch([chunk({ content: 'all of it' })]).tpotUs()).toBeNaN()
  })

  it('an error event is an error, in any of its forms', () => {
    expect(watch(['{"error":{"message":"overloaded"}}']).error).toBe('overloaded')
    expect(watch(['{"error":"no"}']).error).toBe('no')
    expect(watch(['{"type":"error","error":{"type":"overloaded_error","message":"busy"}}']).error).toBe('busy')
  })

  it('an event named error is one, whatever its data are', () => {
    const named = (data: string): string | undefined => {
      const seen = new StreamTimings(() => {})
      seen.event(data, 1_000, 'error')
      expect([seen.events, seen.tokenEvents, seen.garbage, seen.ended]).toEqual([1, 0, undefined, false])
      return seen.error
    }
    expect(named('{"message":"worker lost"}')).toBe('worker lost')
    expect(named('{"detail":"worker lost"}')).toBe('worker lost')
    expect(named('{"error":null,"reason":"x"}')).toBe('{"error":null,"reason":"x"}')
    expect(named('upstream connect error')).toBe('upstream connect error')
    expect(named('[DONE]')).toBe('[DONE]')
    expect(named(chunk({ content: 'half' }))).toBe(chunk({ content: 'half' }))
    expect(named('')).toBe('an error event that says nothing')
  })

  it('what is no error leaves tokens and the end as they are', () => {
    for (const error of [null, false, 0, '', {}, []]) {
      const seen = watch([chunk({ content: 'a' }, { error }), chunk({ content: 'b' }, { error }), '[DONE]'])
      expect([seen.error, seen.tokenEvents, seen.ended]).toEqual([undefined, 2, true])
    }
  })

  it('begin() forgets the stream before', () => {
    const streams = [
      [
        chunk({ reasoning_content: 'hm' }),
        'no JSON',
        '{"error":"no"}',
        chunk({ content: 'a' }, { usage: { completion_tokens: 9 } }),
      ],
      [chunk({ content: 'Hello' }), chunk({ content: 'b' }), '[DONE]'],
      [chunk({}, { system_fingerprint: formatStamp({ nonce: 'a'.repeat(16), attempt: 1, providerUs: 5 }) })],
      [],
    ]
    const summary = (seen: StreamTimings): unknown => {
      const { firstTokenUs, lastTokenUs, events, tokenEvents, usage, stamp, error, ended, garbage } = seen
      const facts = { firstTokenUs, lastTokenUs, events, tokenEvents, usage, stamp, error, ended, garbage }
      return { ...facts, tpotUs: seen.tpotUs(), streamed: seen.streamedTokens() }
    }
    for (const before of streams) {
      for (const payloads of streams) {
        const seen = watch(before)
        seen.begin()
        feed(seen, payloads)
        expect(summary(seen)).toEqual(summary(watch(payloads)))
      }
    }
  })

  it('what is no JSON object is garbage', () => {
    expect(watch(['hello']).garbage).toBe('hello')
    expect(watch(['[1]']).garbage).toBe('[1]')
  })
})

describe('recorded provider streams', () => {
  it('Azure: empty choices and a role come first; 78 tokens are billed, 64 of them hidden', () => {
    const seen = watch(streamPayloads('azure-model-router.1'))
    expect(seen.firstTokenUs).toBe(3_000)
    expect(seen.tokenEvents).toBe(4)
    expect(seen.usage).toMatchObject({ output: 78, reasoning: 64 })
    expect(seen.streamedTokens()).toBe(14)
  })

  it('OpenAI: null usage in every event until the last', () => {
    const seen = watch(streamPayloads('openai-text'))
    expect(seen.usage?.output).toBeGreaterThan(200)
    expect(Math.abs(seen.tokenEvents - seen.streamedTokens())).toBeLessThanOrEqual(2)
  })

  it('DeepSeek: reasoning text counts, and is not taken for hidden', () => {
    const seen = watch(streamPayloads('deepseek-reasoning'))
    expect(seen.tokenEvents).toBeGreaterThan(100)
    expect(seen.streamedTokens()).toBe(seen.usage?.output)
  })

  it('Gemini: usage in every chunk, many tokens in one', () => {
    const seen = watch(streamPayloads('google-text'))
    expect(seen.tokenEvents).toBeGreaterThanOrEqual(1)
    expect(seen.usage?.output).toBeGreaterThan(seen.tokenEvents)
    expect(seen.ended).toBe(true)
  })

  it('Anthropic: ping and message_start are not tokens; the usage is the last one', () => {
    const seen = watch(streamPayloads('anthropic-text'))
    expect(seen.tokenEvents).toBeGreaterThanOrEqual(1)
    expect(seen.firstTokenUs).toBeGreaterThan(1_000)
    expect(seen.usage?.output).toBeGreaterThan(1)
    expect(seen.ended).toBe(true)
  })

  it.each(streamNames)('%s survives SSE framing cut anywhere', (name) => {
    const payloads = streamPayloads(name)
    const bytes = Buffer.from(asEvents(payloads))
    for (const size of [1, 7, 64, 1_000, 65_536]) {
      const seen: string[] = []
      const reader = new SseReader((data) => seen.push(data))
      for (let i = 0; i < bytes.length; i += size) reader.push(bytes.subarray(i, i + size))
      reader.end()
      expect(seen).toEqual(payloads)
    }
  })
})

describe('stamps in the text, where a gateway has dropped the member', () => {
  const nonce = 'abcdefghijklmnop'
  const stamp = (providerUs: number): string => formatStamp({ nonce, attempt: 1, providerUs })
  const CHAT = (text: string): string => chunk({ content: text })
  const MESSAGES = (text: string): string =>
    JSON.stringify({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })

  /** Once as text, as events of an unusual shape are read, and once as bytes. */
  const stampsOf = (payloads: readonly string[]): [(number | undefined)[], (number | undefined)[]] => {
    const [asText, asBytes]: (number | undefined)[][] = [[], []]
    const slow = new StreamTimings((_at, _gap, found) => asText?.push(found?.providerUs))
    for (const [i, payload] of payloads.entries()) slow.event(payload, i)
    const fast = new StreamTimings((_at, _gap, found) => asBytes?.push(found?.providerUs))
    const reader = new SseReader(
      () => expect.unreachable(),
      (bytes, start, end) => fast.eventBytes(bytes, start, end, 0),
    )
    reader.push(Buffer.from(asEvents(payloads)))
    expect(fast.stamp).toEqual(slow.stamp)
    return [asText ?? [], asBytes ?? []]
  }

  it.each([
    ['chat', CHAT],
    ['Messages', MESSAGES],
  ])('%s: the last one of each event', (_format, event) => {
    const texts = [`The ${stamp(5)}`, ` end ${stamp(7)} of ${stamp(9)} it`, ' no stamp', ` ${stamp(12)}`]
    const expected = [5, 9, undefined, 12]
    expect(stampsOf(texts.map(event))).toEqual([expected, expected])
  })

  it('is not searched for where the first token has none, and the member wins', () => {
    const none = [undefined, undefined]
    expect(stampsOf([CHAT('The'), CHAT(` ${stamp(7)}`)])).toEqual([none, none])
    const both = JSON.stringify({ choices: [{ index: 0, delta: { content: stamp(5) } }], system_fingerprint: stamp(6) })
    expect(stampsOf([both])).toEqual([[6], [6]])
  })
})
