/**
 * Forms carry files, and the gateway does not read them: no policy, no list of models and no check of the body sees
 * what a form says. So a form passes only where OpenAI takes one. Anywhere else the same header on a JSON body would
 * switch all checks off, since many providers read JSON whatever the content type says.
 */
import type { IncomingMessage } from 'node:http'
import { type GatewayError, invalidRequest } from './gateway-error.ts'
import { isTypeList, rawValues } from './headers.ts'
import type { RequestContext } from './request-context.ts'

/** A form anywhere in a list of types: a provider may choose any of them. */
const ANY_FORM = /(?:^|,)\s*(?:multipart\/|application\/x-www-form-urlencoded)/i
const FORM_DATA = /^multipart\/form-data\s*(?:;|$)/i

/** Call it before any of the body is read. */
export function refuseMisplacedForm(request: IncomingMessage, context: RequestContext): GatewayError | undefined {
  if (!announcesBody(request)) return undefined
  // The provider gets every one.
  const given = rawValues(request.rawHeaders, 'content-type')
  for (const type of given) {
    if (!ANY_FORM.test(type)) continue
    const allowed = takesForms(context)
    if (allowed && FORM_DATA.test(type)) continue
    return invalidRequest(
      'unsupported_content_type',
      `this endpoint takes JSON${allowed ? ' or multipart/form-data' : ''}`,
      415,
    )
  }
  if (given.length > 1 || isTypeList(given[0] ?? '')) {
    return invalidRequest('invalid_content_type', 'the request has more than one content-type')
  }
  return undefined
}

/** Whether this is a form in a place for forms. All other bodies are read before they are passed on. */
export function isForm(context: RequestContext): boolean {
  return FORM_DATA.test(context.headers['content-type'] ?? '') && takesForms(context)
}

function takesForms({ method, route }: RequestContext): boolean {
  return method === 'POST' && route.form
}

function announcesBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
