/** Answers that are errors, in OpenAI's shape `{error: {message, type, param, code}}` with the status OpenAI gives them. */

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

export function wrongKey(given: boolean): Refusal {
  const message = given ? 'Incorrect API key provided.' : 'You did not provide an API key (Authorization: Bearer KEY).'
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

export function refusalBody({ message, type, param, code }: Refusal): string {
  return JSON.stringify({ error: { message, type, param, code } })
}
