/**
 * What a request may ask for: every path under /v1 that is served, with its methods. Anything else, such as a
 * provider's administration, would be asked with the gateway's own key. A key's rights name these endpoints.
 */

export interface Route {
  /** What rights name. */
  readonly endpoint: string
  readonly methods: readonly string[]
  /** It names objects that the provider stores. They are the gateway's, and not one tenant's. */
  readonly stored: boolean
  /** It takes forms. */
  readonly form: boolean
  /** It answers with sound, pictures or films. */
  readonly media: boolean
}

type Flag = 'stored' | 'form' | 'media'

/** By endpoint: methods, a path after '/v1' ('*' is one segment, '**' several), and flags. */
const SERVED: Readonly<Record<string, readonly string[]>> = {
  chat: ['POST /chat/completions'],
  completions: ['POST /completions'],
  embeddings: ['POST /embeddings'],
  responses: ['POST /responses', 'POST /responses/input_tokens', 'POST /responses/compact'],
  messages: ['POST /messages', 'POST /messages/count_tokens'],
  gemini: ['POST /models/**:generateContent', 'POST /models/**:streamGenerateContent', 'POST /models/**:countTokens'],
  rerank: ['POST /rerank'],
  moderations: ['POST /moderations'],
  models: ['GET /models', 'GET /models/**'],
  audio: [
    'POST /audio/speech media',
    'POST /audio/transcriptions form',
    'POST /audio/translations form',
    'GET,POST /audio/voices form stored',
    'GET,POST,DELETE /audio/voices/* stored',
    'GET,POST /audio/voice_consents form stored',
    'GET,POST,DELETE /audio/voice_consents/* stored',
  ],
  images: ['POST /images/generations', 'POST /images/edits form', 'POST /images/variations form'],
  stored_answers: [
    'GET /chat/completions stored',
    'GET,POST,DELETE /chat/completions/* stored',
    'GET /chat/completions/*/messages stored',
    'GET,DELETE /responses/* stored',
    'POST /responses/*/cancel stored',
    'GET /responses/*/input_items stored',
    'POST /conversations stored',
    'GET,POST,DELETE /conversations/* stored',
    'GET,POST /conversations/*/items stored',
    'GET,DELETE /conversations/*/items/* stored',
  ],
  files: [
    'GET,POST /files form stored',
    'GET,DELETE /files/* stored',
    'GET /files/*/content stored',
    'POST /uploads stored',
    'POST /uploads/*/parts form stored',
    'POST /uploads/*/complete stored',
    'POST /uploads/*/cancel stored',
    'POST /content_provenance_checks form stored',
  ],
  batches: ['GET,POST /batches stored', 'GET /batches/* stored', 'POST /batches/*/cancel stored'],
  fine_tuning: ['GET,POST,DELETE /fine_tuning/** stored', 'DELETE /models/** stored'],
  assistants: [
    'GET,POST /assistants stored',
    'GET,POST,DELETE /assistants/* stored',
    'POST /threads stored',
    'GET,POST,DELETE /threads/** stored',
  ],
  vector_stores: ['GET,POST /vector_stores stored', 'GET,POST,DELETE /vector_stores/** stored'],
  containers: ['GET,POST /containers stored', 'GET,POST,DELETE /containers/** form stored'],
  videos: [
    'GET,POST /videos form stored',
    'POST /videos/characters form stored',
    'POST /videos/edits form stored',
    'POST /videos/extensions form stored',
    'GET,DELETE /videos/* stored',
    'GET /videos/*/content media stored',
    'POST /videos/*/remix form stored',
  ],
  skills: [
    'GET,POST /skills form stored',
    'GET,POST,DELETE /skills/* stored',
    'GET,POST /skills/*/versions form stored',
    'GET,DELETE /skills/*/versions/** stored',
  ],
  realtime: ['POST /realtime/client_secrets stored', 'POST /realtime/calls form stored'],
}

export const ENDPOINT_NAMES = Object.keys(SERVED)

const exact = new Map<string, Route[]>()
const patterns: { path: RegExp; route: Route }[] = []
for (const [endpoint, lines] of Object.entries(SERVED)) {
  for (const line of lines) {
    const [methods = '', path = '', ...flags] = line.split(' ')
    const has = (flag: Flag): boolean => flags.includes(flag)
    const route = {
      endpoint,
      methods: methods.split(',').flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])),
      ...{ stored: has('stored'), form: has('form'), media: has('media') },
    }
    if (path.includes('*')) patterns.push({ path: patternOf(path), route })
    else exact.set(path, [...(exact.get(path) ?? []), route])
  }
}

/** The endpoints whose objects belong to one tenant. */
export const STORING_ENDPOINTS: ReadonlySet<string> = new Set(
  [...exact.values(), patterns.map(({ route }) => route)].flat().flatMap((one) => (one.stored ? [one.endpoint] : [])),
)

function patternOf(path: string): RegExp {
  const source = path.replaceAll(/\*\*|\*/g, (stars) => (stars === '**' ? '[\\w.~:@%/-]+' : '[\\w.~:@-]+'))
  return new RegExp(`^${source}$`)
}

export type FoundRoute = { found: true; route: Route } | { found: false; allowed: readonly string[] }

/** `path` is what follows '/v1', query included. Not found: the methods that the path has, none where it is unknown. */
export function findRoute(method: string, path: string): FoundRoute {
  const query = path.indexOf('?')
  const asked = query < 0 ? path : path.slice(0, query)
  // Most requests ask for a path that names no object.
  const usual = exact.get(asked)
  const route = usual?.find(({ methods }) => methods.includes(method))
  if (route) return { found: true, route }
  const others = patterns.filter((one) => one.path.test(asked)).map((one) => one.route)
  const other = others.find(({ methods }) => methods.includes(method))
  if (other) return { found: true, route: other }
  return { found: false, allowed: [...new Set([...(usual ?? []), ...others].flatMap(({ methods }) => methods))] }
}

/** The model that a path of Gemini's names. */
export function modelInPath(path: string): string | undefined {
  return /^\/models\/([^?]+):\w+(?:\?|$)/.exec(path)?.[1]
}
