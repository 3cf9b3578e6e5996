// Where requests go: the addresses that providers and gateways document, completed as their own clients complete them.
import { describe, expect, it } from 'vitest'
import { resolveTarget } from '../../src/client/target.ts'
import type { ApiEndpoint } from '../../src/wire/endpoints.ts'

function pathOf(url: string, endpoint: ApiEndpoint, { model = 'gemini-2.5-flash', stream = false } = {}): string {
  return resolveTarget(url, { endpoint, model, stream }).path
}

const GENERATE = '/models/gemini-2.5-flash:generateContent'
const STREAM = '/models/gemini-2.5-flash:streamGenerateContent?alt=sse'

describe('an address is completed as the documentation of its server has it', () => {
  it.each<[what: string, endpoint: ApiEndpoint, url: string, path: string]>([
    ['an origin', 'chat', 'http://h', '/v1/chat/completions'],
    ['an origin', 'responses', 'http://h/', '/v1/responses'],
    ['an origin', 'messages', 'http://h', '/v1/messages'],
    ['an origin', 'gemini', 'http://h', `/v1beta${GENERATE}`],
    ['an origin', 'rerank', 'http://h', '/v1/rerank'],
    ['a version', 'gemini', 'http://h/v1', `/v1${GENERATE}`],
    ['Cohere', 'rerank', 'https://api.cohere.com/v2', '/v2/rerank'],
    ['Groq', 'chat', 'https://api.groq.com/openai/v1', '/openai/v1/chat/completions'],
    ['Gemini for clients of OpenAI', 'chat', 'https://h/v1beta/openai/', '/v1beta/openai/chat/completions'],
    ['Gemini for clients of OpenAI', 'embeddings', 'https://h/v1beta/openai', '/v1beta/openai/embeddings'],
    [
      'Vertex',
      'chat',
      'https://h/v1/projects/p/locations/l/endpoints/openapi',
      '/v1/projects/p/locations/l/endpoints/openapi/chat/completions',
    ],
    [
      'a deployment at Azure',
      'chat',
      'https://r.openai.azure.com/openai/deployments/gpt/?api-version=2024-10-21',
      '/openai/deployments/gpt/chat/completions?api-version=2024-10-21',
    ],
    ['Azure, v1', 'responses', 'https://r.openai.azure.com/openai/v1/', '/openai/v1/responses'],
    ['Azure, its origin', 'chat', 'https://r.openai.azure.com', '/openai/v1/chat/completions'],
    ['Anthropic at Azure', 'messages', 'https://r.services.ai.azure.com/anthropic', '/anthropic/v1/messages'],
    ['Bifrost', 'chat', 'http://h:8080/openai/v1', '/openai/v1/chat/completions'],
    ['Bifrost', 'chat', 'http://h:8080/openai', '/openai/chat/completions'],
    ['Bifrost', 'messages', 'http://h:8080/anthropic', '/anthropic/v1/messages'],
    ['Bifrost', 'messages', 'http://h:8080/anthropic/v1/messages', '/anthropic/v1/messages'],
    ['Bifrost', 'gemini', 'http://h:8080/genai', `/genai/v1beta${GENERATE}`],
    ['LiteLLM', 'messages', 'http://h:4000/v1/messages', '/v1/messages'],
    ['LiteLLM', 'chat', 'http://h:4000/openai/deployments/gpt-4o', '/openai/deployments/gpt-4o/chat/completions'],
    ['LiteLLM, passed through', 'gemini', 'http://h:4000/gemini', `/gemini/v1beta${GENERATE}`],
    ['LiteLLM, passed through', 'messages', 'http://h:4000/anthropic', '/anthropic/v1/messages'],
    ['LiteLLM, passed through', 'responses', 'http://h:4000/openai_passthrough', '/openai_passthrough/responses'],
    ['a route of Kong', 'chat', 'http://h:8000/ai-route', '/ai-route'],
    ['a route of Kong', 'messages', 'http://h:8000/ai-route/v1/messages', '/ai-route/v1/messages'],
    ['a route of Kong', 'gemini', `http://h:8000/ai-route/v1beta${GENERATE}`, `/ai-route/v1beta${GENERATE}`],
    ['any address', 'raw', 'http://h/v1/messages/?a=b', '/v1/messages/?a=b'],
  ])('%s, %s: %s', (_what, endpoint, url, path) => {
    expect(pathOf(url, endpoint)).toBe(path)
  })

  it('Gemini says in its address whether to stream, and which model', () => {
    const stream = true
    expect(pathOf('http://h', 'gemini', { stream })).toBe(`/v1beta${STREAM}`)
    expect(pathOf(`http://h/v1beta${GENERATE}?key=k`, 'gemini', { stream })).toBe(
      `/v1beta${STREAM.replace('?', '?key=k&')}`,
    )
    expect(pathOf(`http://h/v1beta${STREAM}`, 'gemini', { stream })).toBe(`/v1beta${STREAM}`)
    expect(pathOf('http://h', 'gemini', { model: 'publishers/a b' })).toContain('/models/publishers%2Fa%20b:')
    expect(() => pathOf(`http://h/v1beta${GENERATE}`, 'gemini', { model: 'other' })).toThrow(
      '--url names the model gemini-2.5-flash, but --model is other',
    )
  })

  it('a whole address of another API is refused', () => {
    expect(() => pathOf('http://h/v1/messages', 'chat')).toThrow('--url names the messages endpoint')
    expect(() => pathOf('http://h/v1/chat/completions', 'completions')).toThrow('names the chat endpoint')
    expect(() => pathOf(`http://h/v1beta${GENERATE}`, 'chat')).toThrow('names the gemini endpoint')
  })

  it('Azure takes its key in a header of its own', () => {
    const header = (url: string, endpoint: ApiEndpoint): unknown =>
      resolveTarget(url, { endpoint, model: 'm', stream: false }).keyHeader?.('k')
    expect(header('https://r.openai.azure.com/openai/v1', 'chat')).toEqual(['api-key', 'k'])
    expect(header('http://gateway/openai/deployments/gpt?api-version=1', 'embeddings')).toEqual(['api-key', 'k'])
    expect(header('https://r.services.ai.azure.com/anthropic', 'messages')).toBeUndefined()
    expect(header('https://api.openai.com', 'chat')).toBeUndefined()
  })
})
