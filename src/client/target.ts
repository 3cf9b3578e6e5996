/**
 * Where requests go: the URL that the user gives, completed with the endpoint's path, and whether its host is public.
 */
import ipaddr from 'ipaddr.js'
import { failure, type Result, success, UserError } from '../errors.ts'
import { isAddress, withoutCredentials, withScheme } from '../parse/addresses.ts'
import { parsedBy } from '../parse/quantity.ts'
import { azureKey, ENDPOINTS, type Endpoint, endpointOf } from '../wire/endpoints.ts'
import { STREAM_QUERY } from '../wire/gemini.ts'
import type { RequestShape } from '../wire/template.ts'
import type { WorkloadSpec } from '../workload/workload.ts'

export interface Target {
  origin: string
  path: string
  /** Without user, password and query, so that it can be printed and stored. */
  shownUrl: string
  /** Of an API whose address says what is asked: the path of a request of another model, or of a stream. */
  pathFor?: ((asked: Pick<Addressed, 'model' | 'stream'>) => string) | undefined
  /** Where the target takes its key, if not where the API says: Azure has a header of its own. */
  keyHeader?: Endpoint['keyHeader'] | undefined
  /** Neither a loopback, private or link-local address, nor a name of the local network. */
  isPublic: boolean
}

const NEXT = 'Give a whole address such as http://127.0.0.1:41002/v1/chat/completions.'

function parseAddress(text: string): Result<URL> {
  const url = URL.parse(isAddress(text) ? withScheme(text) : text)
  if (!url) return failure(`'${withoutCredentials(text)}' is not a URL`, NEXT)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return failure(`must begin with http:// or https://, not ${url.protocol}`, NEXT)
  }
  return url.username || url.password
    ? failure('must not hold a user or password', 'Pass it as --header "Authorization: Basic …".')
    : success(url)
}

/** An address that requests may be sent to, as flags give it. */
export const address = parsedBy(parseAddress, 'an address such as http://127.0.0.1:41002')

/** What a request is, as far as its address depends on it. */
export type Addressed = Pick<RequestShape, 'endpoint' | 'model' | 'stream'> & {
  /** Where there are several: `model` names them all. */
  models?: readonly { name: string }[] | undefined
}

const VERSION = /\/v\d+(?:alpha|beta)?\d*$/
/** Bases whose version stands elsewhere: Gemini's and Vertex's for clients of OpenAI, a deployment at Azure. */
const VERSIONED_BASES = /\/v\d+(?:beta)?\/openai$|\/endpoints\/openapi$|\/openai\/deployments\/[^/]+$/
const AZURE_HOST = /\.(?:openai|cognitiveservices|services\.ai)\.azure\.com$/
const AZURE_PATH = /\/openai\/deployments\//

/**
 * Completes an address with the endpoint's path: `http://host:41002`, `.../v1` and `.../v1/chat/completions` all name
 * the chat endpoint, as do the bases that gateways and providers document. Any other path is taken as it stands: a
 * route of a gateway may have any name. `flag` is the one that gave the address.
 */
export function resolveTarget(url: URL | string, { models = [], ...asked }: Addressed, flag = '--url'): Target {
  const { inPath } = endpointOf(asked.endpoint)
  const [first] = models
  const target = resolveOne(url, inPath && first ? { ...asked, model: first.name } : asked, flag)
  if (!inPath) return target
  return {
    ...target,
    // Of several models the address says none.
    shownUrl: models.length > 1 ? target.shownUrl.replace(/\/[^/]+$/, '') : target.shownUrl,
    pathFor: (other) => resolveOne(url, { ...asked, ...other }, flag).path,
  }
}

/** The paths of the requests of each part of a workload, where the address says what is asked. */
export function pathsByPart({ pathFor, shownUrl }: Target, workload: WorkloadSpec): string[] | undefined {
  const { parts, model: only, models = [] } = workload
  if (!pathFor || parts.length === 1) return undefined
  const asked = parts.map(({ model = -1, stream }) => ({ model: models[model]?.name ?? only, stream }))
  const paths = asked.map(pathFor)
  const kinds = new Set(asked.map(({ model, stream }) => `${model} ${stream}`)).size
  if (new Set(paths).size === kinds) return paths
  throw new UserError(
    `the workload ${workload.name} has several models, or streams a part of its answers, ` +
      `and ${shownUrl} is one address`,
    'Give an address that ends before /models, which kt completes for each.',
  )
}

function resolveOne(url: URL | string, asked: Addressed, flag: string): Target {
  const parsed = new URL(url)
  const given = parsed.pathname.replace(/\/+$/, '')
  const named = ENDPOINTS.find((name) => endpointOf(name).isPath(given))
  if (named !== undefined && named !== asked.endpoint && asked.endpoint !== 'raw') {
    throw new UserError(
      `${flag} names the ${named} endpoint, but --endpoint is ${asked.endpoint}`,
      `Pass --endpoint ${named}, or another ${flag}.`,
    )
  }
  const endpoint = endpointOf(asked.endpoint)
  if (asked.endpoint === 'raw') return targetAt(parsed, parsed.pathname, parsed.search, endpoint)
  const base = baseOf(parsed.hostname, given, endpoint)
  const [path = '', query = ''] = endpoint.path(asked).split('?')
  if (base !== undefined) return targetAt(parsed, base + path, withQuery(parsed.search, query), endpoint)
  if (named === undefined || !endpoint.inPath) return targetAt(parsed, given, parsed.search, endpoint)
  assertModel(given, path, asked.model, flag)
  return targetAt(
    parsed,
    given.replace(/:\w+$/, /:\w+$/.exec(path)?.[0] ?? ''),
    withQuery(parsed.search, query),
    endpoint,
  )
}

/** What stands before the endpoint's path; undefined where the address is whole already. */
function baseOf(hostname: string, path: string, { version, bases, belowBase }: Endpoint): string | undefined {
  if (path === '') return (AZURE_HOST.test(hostname) && bases.test('/openai') ? '/openai' : '') + version
  if (VERSION.test(path) || VERSIONED_BASES.test(path)) return path
  return bases.test(path) ? path + belowBase : undefined
}

/** Where the address names the model, nothing else may name another. */
function assertModel(given: string, path: string, model: string, flag: string): void {
  const modelIn = (text: string): string => /([^/]+):\w+$/.exec(decodeURIComponent(text))?.[1] ?? ''
  const own = modelIn(given)
  if (own === modelIn(path)) return
  throw new UserError(
    `${flag} names the model ${own}, but --model is ${model}`,
    `Pass --model ${own}, or an address that ends before /models.`,
  )
}

function withQuery(search: string, own: string): string {
  const [name, value] = STREAM_QUERY
  const query = new URLSearchParams(search)
  if (own === '' || query.get(name) === value) return search
  return `${search === '' ? '?' : `${search}&`}${own}`
}

function targetAt({ origin, hostname }: URL, path: string, search: string, { provider }: Endpoint): Target {
  const isAzure = provider === 'openai' && (AZURE_PATH.test(path) || AZURE_HOST.test(hostname))
  return {
    origin,
    path: path + search,
    shownUrl: origin + path,
    keyHeader: isAzure ? azureKey : undefined,
    isPublic: isPublicHost(hostname),
  }
}

function isPublicHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (ipaddr.isValid(host)) return ipaddr.process(host).range() === 'unicast'
  return host.includes('.') && !/\.(localhost|local|internal|lan|home\.arpa|test)\.?$/.test(host)
}

/** A host of this machine, as URLs spell it. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (ipaddr.isValid(host)) return ipaddr.process(host).range() === 'loopback'
  return /(^|\.)localhost\.?$/.test(host)
}
