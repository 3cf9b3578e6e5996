/** Requests and responses as they should be, with every member that the gateway reads. */

const TOOL = {
  type: 'function',
  function: { name: 'weather', description: 'd', parameters: { type: 'object', properties: { city: {} } } },
}
const IMAGE = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }

const chat = (model: string) => ({
  model,
  messages: [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: [{ type: 'text', text: 'Look: a.b@example.org' }, IMAGE] },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 't1', type: 'function', function: { name: 'weather', arguments: '{"city":"B"}' } }],
    },
    { role: 'tool', tool_call_id: 't1', content: 'sunny' },
  ],
  tools: [TOOL],
  tool_choice: { type: 'function', function: { name: 'weather' } },
  temperature: 0,
  top_p: 1,
  max_tokens: 5,
  stop: ['END'],
  user: 'u1',
  stream: false,
  stream_options: { include_usage: true },
})

/** Path and body of each request. */
export const REQUESTS: readonly [readonly [string, object], ...(readonly [string, object])[]] = [
  ['/chat/completions', chat('gpt-x')],
  ['/chat/completions', { ...chat('gpt-x'), stream: true }],
  ['/chat/completions', chat('claude-x')],
  ['/chat/completions', { ...chat('claude-x'), stream: true }],
  ['/chat/completions', { ...chat('gemini-x'), response_format: { type: 'json_schema', json_schema: { schema: {} } } }],
  ['/chat/completions', { ...chat('gemini-x'), stream: true, seed: 1, n: 2 }],
  ['/completions', { model: 'gpt-x', prompt: ['Hi', 'Ho'], temperature: 0, suffix: 's' }],
  ['/embeddings', { model: 'gpt-x', input: ['Hi', [1, 2]] }],
  [
    '/responses',
    {
      model: 'gpt-x',
      instructions: 'Be brief.',
      input: [
        { role: 'user', content: [{ type: 'input_text', text: 'Hi' }] },
        { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
      ],
    },
  ],
]

const USAGE = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }
const CALL = { index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":"a.b@example.org"}' } }
const CANDIDATE = {
  index: 0,
  content: {
    role: 'model',
    parts: [{ text: 'Hi a.b@example.org' }, { functionCall: { name: 'f', args: { a: [1] } } }],
  },
  finishReason: 'STOP',
}
const GEMINI = {
  candidates: [CANDIDATE],
  usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2 },
  modelVersion: 'g',
  responseId: 'r',
}

/** By protocol: a whole response, and the events of a streamed one. */
export const ANSWERS = {
  openai: {
    whole: {
      id: 'c',
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hi a.b@example.org', tool_calls: [CALL] },
          logprobs: { content: [{ token: 'Hi' }] },
          finish_reason: 'stop',
        },
      ],
      usage: USAGE,
    },
    events: [
      { id: 'c', choices: [{ index: 0, delta: { role: 'assistant', content: 'Hi a.b@ex' } }] },
      { id: 'c', choices: [{ index: 0, delta: { content: 'ample.org' } }] },
      { id: 'c', choices: [{ index: 0, delta: { tool_calls: [CALL] }, logprobs: null }] },
      { id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: USAGE },
    ],
  },
  anthropic: {
    whole: {
      id: 'm',
      type: 'message',
      role: 'assistant',
      model: 'claude-x',
      content: [
        { type: 'thinking', thinking: 'hm' },
        { type: 'text', text: 'Hi a.b@example.org' },
        { type: 'tool_use', id: 't', name: 'f', input: { a: { b: 1 } } },
      ],
      stop_reason: 'end_turn',
      usage: { input_tokens: 3, output_tokens: 2 },
    },
    events: [
      { type: 'message_start', message: { id: 'm', model: 'claude-x', usage: { input_tokens: 3 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi a.b@example.org' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'hm' } },
      { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 't', name: 'f' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"a":1}' } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } },
      { type: 'message_stop' },
    ],
  },
  gemini: {
    whole: GEMINI,
    events: [{ ...GEMINI, candidates: [{ ...CANDIDATE, finishReason: null }] }, GEMINI],
  },
}
