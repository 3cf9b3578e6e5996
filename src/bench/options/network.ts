/**
 * How a target is reached on networks as they are: client certificates, proxies, unix sockets, addresses of the user's
 * own. The flags with their types, what contradicts what, and the routes that they come to.
 */
import { createPrivateKey } from 'node:crypto'
import { statSync } from 'node:fs'
import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'
import { z } from 'zod'
import { environmentProxy, parseProxy } from '../../client/proxy.ts'
import type { Route } from '../../client/route.ts'
import { isLoopback, type Target } from '../../client/target.ts'
import { failure, type Result, reasonOf, success, UserError } from '../../errors.ts'
import { authorityOf, type ProxyAddress } from '../../http1/tunnel.ts'
import { readText } from '../../parse/file.ts'
import { type FlagValues, flagGroup } from '../../parse/flags.ts'
import { rulesOf } from '../../parse/parse-flags.ts'
import { parsedBy, wordOr } from '../../parse/quantity.ts'
import { keyPassphraseOf } from '../../system/environment.ts'
import { KEY_HEADERS } from '../../wire/endpoints.ts'

const { text, texts, toggle } = flagGroup('TARGET')

/** 'host:port:address', as curl has it. */
const resolution = parsedBy((given): Result<{ host: string; port: number; address: string }> => {
  const [, host = '', port = '', address = ''] = /^(\[[^\]]+\]|[^:]+):(\d+):(.+)$/.exec(given) ?? []
  const bare = address.replace(/^\[|\]$/g, '')
  if (isIP(bare) === 0 || Number(port) < 1 || Number(port) > 65_535) {
    return failure(`'${given}' is not host:port:address with an IP address`)
  }
  return success({ host: host.replace(/^\[|\]$/g, '').toLowerCase(), port: Number(port), address: bare })
})

const path = z.string().min(1, 'must not be empty')

export const networkFlags = {
  ca: text(z.string().optional(), "PEM file of certificates to trust instead of the system's"),
  insecure: toggle('accept any certificate'),
  cert: text(path.optional(), 'PEM file of the client certificate to show (mutual TLS)', { helpValue: 'FILE' }),
  key: text(
    path.optional(),
    'PEM file of its key, where --cert does not hold it too; its passphrase is KT_KEY_PASSPHRASE',
    { helpValue: 'FILE' },
  ),
  proxy: text(
    wordOr('none', parsedBy(parseProxy)).optional(),
    "HTTP proxy to go through, 'http://user:password@host:port', or 'none' [default: the environment's, which " +
      'nothing on this machine is reached through]',
    { helpValue: 'URL' },
  ),
  'unix-socket': text(path.optional(), 'unix socket at which --url is reached', { helpValue: 'PATH' }),
  resolve: texts(
    z.array(resolution).default([]),
    "address to connect to instead of asking for the host's, 'host:port:address'; repeatable",
    { example: 'api.test:443:10.0.0.5' },
  ),
  'allow-insecure-key': toggle('send the API key in the clear (http://) to another machine'),
}

export type NetworkFlagValues = FlagValues<typeof networkFlags>

const rule = rulesOf<NetworkFlagValues & { url?: URL | undefined }>()

const NEED_URL = (['proxy', 'unix-socket'] as const).map((name) =>
  rule(
    [name, 'url'],
    (given) =>
      given[name] !== undefined &&
      given[name] !== 'none' &&
      given.url === undefined &&
      failure(`--${name} goes with --url`, 'The embedded pair is on this machine: leave it out.'),
  ),
)

export const NETWORK_RULES = [
  ...NEED_URL,
  rule(
    ['ca', 'insecure'],
    ({ ca, insecure }) =>
      ca !== undefined &&
      insecure &&
      failure('--ca and --insecure exclude each other', 'Trust a certificate with --ca, or take any with --insecure.'),
  ),
  rule(
    ['key', 'cert'],
    ({ key, cert }) =>
      key !== undefined &&
      cert === undefined &&
      failure('--key is the key of a client certificate, and there is none', 'Give the certificate too: --cert FILE.'),
  ),
  rule(
    ['cert', 'url'],
    ({ cert, url }) =>
      cert !== undefined &&
      url?.protocol !== 'https:' &&
      failure('--cert goes with an https:// address in --url', 'Leave it out: nobody asks for it in the clear.'),
  ),
  rule(
    ['unix-socket', 'proxy'],
    ({ 'unix-socket': socket, proxy }) =>
      socket !== undefined &&
      proxy !== undefined &&
      proxy !== 'none' &&
      failure('--unix-socket and --proxy exclude each other', 'A unix socket is on this machine: leave --proxy out.'),
  ),
]

/** Certificates are trusted, and none is shown. */
export function encryptsNothing(
  { ca, insecure }: Pick<NetworkFlagValues, 'ca' | 'insecure'>,
  addresses: readonly (URL | undefined)[],
) {
  return (
    (ca !== undefined || insecure) &&
    !addresses.some((at) => at?.protocol === 'https:') &&
    failure(
      `--${ca === undefined ? 'insecure' : 'ca'} goes with an https:// address in --url`,
      'Leave it out: nothing is encrypted.',
    )
  )
}

/** How certificates are shown and trusted, as the client takes it. */
export function readCertificates(flags: Pick<NetworkFlagValues, 'ca' | 'insecure' | 'cert' | 'key'>) {
  const { ca, insecure } = flags
  return {
    insecure,
    ca: ca === undefined ? undefined : readText(ca, 'certificate file'),
    ...readClientCertificate(flags),
  }
}

/** The certificate and its key, PEM. */
function readClientCertificate({ cert, key }: Pick<NetworkFlagValues, 'cert' | 'key'>) {
  if (cert === undefined) return {}
  const certificate = readText(cert, 'client certificate')
  if (key === undefined && !/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(certificate)) {
    throw new UserError(`${cert}: a client certificate needs its key, and the file holds none`, 'Give it: --key FILE.')
  }
  const secret = openKey(key === undefined ? certificate : readText(key, 'key'), key ?? cert)
  try {
    createSecureContext({ cert: certificate })
  } catch (error) {
    throw new UserError(
      `${cert}: no certificate in PEM: ${wordsOf(error)}`,
      'Give a file that begins with BEGIN CERTIFICATE.',
    )
  }
  try {
    createSecureContext({ cert: certificate, key: secret })
  } catch (error) {
    throw unusableKey(error, key ?? cert, cert)
  }
  return { cert: certificate, key: secret }
}

/** The key as TLS takes it: one that needs a passphrase is opened here, once for all connections. */
function openKey(pem: string, file: string): string {
  if (!/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pem)) return pem
  const passphrase = keyPassphraseOf(process.env)
  if (passphrase === undefined) {
    throw new UserError(
      `${file}: the key needs a passphrase`,
      'Set KT_KEY_PASSPHRASE to it, or give a key without: openssl pkey -in KEY -out plain.pem.',
    )
  }
  try {
    const opened = createPrivateKey({ key: pem, passphrase })
    return opened.export({ type: 'pkcs8', format: 'pem' }).toString()
  } catch (error) {
    throw new UserError(
      `${file}: KT_KEY_PASSPHRASE does not open the key: ${wordsOf(error)}`,
      'Is it the passphrase of this key?',
    )
  }
}

function unusableKey(error: unknown, key: string, cert: string): UserError {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  if (code.includes('KEY_VALUES_MISMATCH') || code.includes('KEY_TYPE_MISMATCH')) {
    return new UserError(`${key} is not the key of the certificate ${cert}`, 'Give the two that belong together.')
  }
  return new UserError(
    `${key}: no private key in PEM: ${wordsOf(error)}`,
    'Give a file that begins with BEGIN PRIVATE KEY.',
  )
}

/** OpenSSL's message is an address in its sources; its reason is words. */
function wordsOf(error: unknown): string {
  return error instanceof Error && 'reason' in error ? String(error.reason) : reasonOf(error)
}

interface Reached extends Pick<NetworkFlagValues, 'proxy' | 'unix-socket' | 'resolve'> {
  http2?: boolean
  at: Target | undefined
  baselineAt?: Target | undefined
}

/** How the targets are reached that are not reached by name and port. */
export function buildRoutes(options: Reached): Route[] {
  const { at, baselineAt, resolve } = options
  const targets = [...new Set([at, baselineAt].flatMap((target) => target?.origin ?? []))]
  for (const { host, port } of resolve) {
    if (targets.some((origin) => isAt(origin, host, port))) continue
    throw new UserError(
      `--resolve ${authorityOf({ host, port })}: no target of the run has this host and port`,
      'Write them as --url has them.',
    )
  }
  return targets.flatMap((origin) => routeOf(origin, options) ?? [])
}

function routeOf(
  origin: string,
  { 'unix-socket': socket, proxy, resolve, at, http2 = false }: Reached,
): Route | undefined {
  if (socket !== undefined && origin === at?.origin) {
    assertSocket(socket)
    return { origin, via: { kind: 'unix-socket', path: socket }, from: '--unix-socket' }
  }
  const resolved = resolve.find(({ host, port }) => isAt(origin, host, port))
  const given = proxy === 'none' ? undefined : proxy
  if (resolved && given) {
    throw new UserError(
      `--resolve gives an address for ${new URL(origin).host}, and --proxy asks for the host by its name`,
      'Leave one of them out.',
    )
  }
  if (resolved) return { origin, via: { kind: 'address', address: resolved.address }, from: '--resolve' }
  const named = proxy === undefined ? environmentProxy(origin) : undefined
  const found = given ?? (named?.proxy.ok ? named.proxy.value : undefined)
  if (!found) return undefined
  if (http2 && origin.startsWith('http:')) {
    throw new UserError(
      `HTTP/2 in the clear does not go through the proxy ${authorityOf(found)}`,
      'Give an https:// address, leave --http2 out, or connect directly: --proxy none.',
    )
  }
  return { origin, via: { kind: 'proxy', proxy: found }, from: given ? '--proxy' : (named?.from ?? '') }
}

function isAt(origin: string, host: string, port: number): boolean {
  const url = new URL(origin)
  const its = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  return url.hostname.replace(/^\[|\]$/g, '').toLowerCase() === host && its === port
}

function assertSocket(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isSocket()) return
  throw new UserError(
    `--unix-socket ${path}: ${found ? 'it is no socket' : 'no such file'}`,
    'Give the socket at which the target listens.',
  )
}

/** Lines for a person: who stands between kt and the targets, and which proxy of the environment does not. */
export function routeLines(origins: readonly string[], routes: readonly Route[]): string[] {
  return [...new Set(origins)].flatMap((origin) => {
    const { host } = new URL(origin)
    const route = routes.find((one) => one.origin === origin)
    if (!route) {
      const named = environmentProxy(origin)
      if (!named || named.proxy.ok) return []
      return [`The environment names a proxy for ${host} (${named.from}): ${named.proxy.why}. kt connects directly.`]
    }
    const { via, from } = route
    const without = from.startsWith('--') ? '' : ' --proxy none connects directly.'
    return [`${host} is reached ${wayWords(via)} (${from}).${without}`]
  })
}

export function wayWords(via: Route['via']): string {
  switch (via.kind) {
    case 'unix-socket':
      return `over the unix socket ${via.path}`
    case 'address':
      return `at ${via.address}`
    case 'proxy':
      return `through the proxy ${authorityOf(via.proxy)}`
    default:
      return via satisfies never
  }
}

/** Refuses to send a key where whoever is on the way could read it. */
export function assertKeyStaysSecret(
  headers: Readonly<Record<string, string>>,
  origin: string,
  routes: readonly Route[],
): void {
  const [name] = Object.keys(headers).filter((header) => KEY_HEADERS.includes(header.toLowerCase()))
  if (name === undefined || !isReadable(origin, routes)) return
  throw new UserError(
    `the API key (${name}) would go to ${new URL(origin).host} in the clear`,
    'Give an https:// address, unset a KT_API_KEY or OPENAI_API_KEY that is not meant, or pass --allow-insecure-key.',
  )
}

function isReadable(origin: string, routes: readonly Route[]): boolean {
  const { protocol, hostname } = new URL(origin)
  if (protocol !== 'http:') return false
  const via = routes.find((route) => route.origin === origin)?.via
  if (via?.kind === 'unix-socket') return false
  const onTheWay =
    via?.kind === 'address' ? [via.address] : [hostname, ...(via?.kind === 'proxy' ? [via.proxy.host] : [])]
  return !onTheWay.every(isLoopback)
}

/** What no text may show of them. */
export function proxySecrets(routes: readonly Route[]): string[] {
  return routes.flatMap(({ via }) => (via.kind === 'proxy' ? secretsOfProxy(via.proxy) : []))
}

function secretsOfProxy({ authorization }: ProxyAddress): string[] {
  if (authorization === undefined) return []
  const [, ...password] = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString().split(':')
  return [authorization, password.join(':')]
}
