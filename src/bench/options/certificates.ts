/** The certificates of --ca, --cert and --key, read and tried before anything is sent. */
import { createPrivateKey } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { reasonOf, UserError } from '../../errors.ts'
import { readText } from '../../parse/file.ts'
import { keyPassphraseOf } from '../../system/environment.ts'
import type { NetworkFlagValues } from './network.ts'

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
