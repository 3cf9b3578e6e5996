/** OpenAI's protocol: the clients' own, so that nothing is translated. */
import type { RequestContext } from '../http/context.ts'
import type { HeaderPairs } from '../http/stages.ts'
import type { Asked, Protocol } from './protocol.ts'

const NO_HEADERS: HeaderPairs = []

export const openai: Protocol = {
  credentials: (key) => ['authorization', `Bearer ${key}`],
  ask: (context: RequestContext, basePath: string): Asked => ({
    path: basePath + context.path || '/',
    body: context.body,
    headers: NO_HEADERS,
    translation: undefined,
  }),
}
