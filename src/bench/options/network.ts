/**
 * How a target is reached on networks as they are: client certificates, proxies, unix sockets, addresses of the user's
 * own. The flags with their types, and what contradicts what.
 */
import { isIP } from 'node:net'
import { z } from 'zod'
import { parseProxy } from '../../client/proxy.ts'
import { failure, type Result, success } from '../../errors.ts'
import { type FlagValues, flagGroup } from '../../parse/flags.ts'
import { rulesOf } from '../../parse/parse-flags.ts'
import { parsedBy, wordOr } from '../../parse/quantity.ts'

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
