/**
 * Answers that are errors, in OpenAI's terms (status, message, type, param, code). Each dialect says them in its own shape:
 * src/provider/openai/errors.ts, src/provider/anthropic/errors.ts, src/provider/gemini/errors.ts.
 */

export interface Refusal {
  status: number
  message: string
  type: string
  param: string | null
  code: string | null
  headers?: string[]
}

/** A 400 for a request that is understood and wrong. */
export function badRequest(message: string, param: string | null = null, code: string | null = null): Refusal {
  return { status: 400, message, type: 'invalid_request_error', param, code }
}

/** A refusal that is the provider's own fault, or the quota's. */
export function refusalFor(status: 429 | 500 | 503, message: string): Refusal {
  const [type, code] =
    status === 429 ? ['requests', 'rate_limit_exceeded'] : ['server_error', status === 500 ? null : 'overloaded']
  return { status, message, type: type ?? '', param: null, code: code ?? null }
}

export function unknownUrl(method: string, path: string): Refusal {
  return { ...badRequest(`Unknown request URL: ${method} ${path}.`, null, 'unknown_url'), status: 404 }
}

export function wrongMethod(method: string, path: string, allowed: string): Refusal {
  return {
    ...badRequest(`Not allowed to ${method} on ${path} (allowed: ${allowed}).`, null, 'method_not_supported'),
    status: 405,
    headers: ['allow', allowed],
  }
}

export function unknownModel(model: string): Refusal {
  const message = `The model \`${model}\` does not exist or you do not have access to it.`
  return { ...badRequest(message, null, 'model_not_found'), status: 404 }
}

/** The refusal of a model that is not served: `gpt-unknown`, and every name that starts with `unknown`. */
export function refusalOfModel(model: string): Refusal | undefined {
  return model === 'gpt-unknown' || model.startsWith('unknown') ? unknownModel(model) : undefined
}

/** `how` says where the dialect wants its key: 'Authorization: Bearer KEY'. */
export function wrongKey(given: boolean, how: string): Refusal {
  const message = given ? 'Incorrect API key provided.' : `You did not provide an API key (${how}).`
  return { ...badRequest(message, null, 'invalid_api_key'), status: 401 }
}

export function tooLarge(limitBytes: number): Refusal {
  const message = `The request body is larger than ${limitBytes / 2 ** 20} MiB.`
  return { ...badRequest(message, null, 'request_too_large'), status: 413 }
}

export function unsupportedEncoding(encoding: string): Refusal {
  const message = `Content-Encoding '${encoding}' is not supported; send the body as it is.`
  return { ...badRequest(message, null, 'unsupported_encoding'), status: 415 }
}
