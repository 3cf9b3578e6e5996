/**
 * A throw-away certificate for a provider that is to speak TLS without any set-up: self-signed, for this machine's
 * names only, with its key in memory. X.509 v3 (RFC 5280) written as DER by hand, since Node signs but does not issue.
 * A client trusts it by naming it as its CA; it is worth nothing anywhere else.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { UserError } from '../errors.ts'
import { systemReason } from '../parse/system-reason.ts'

export interface KeyPair {
  /** PEM. */
  cert: string
  key: string
}

const DAYS = 7

/** For localhost, 127.0.0.1, ::1 and `host`; valid from a day ago, since clocks differ. */
export function selfSigned(host: string, today: Date = new Date()): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const name = sequence(set(sequence(oid(COMMON_NAME), der(0x0c, Buffer.from('kt simulated provider')))))
  const valid = [-1, DAYS].map((days) => utcTime(dayFrom(today, days)))
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, positive(randomBytes(16))),
    SIGNATURE,
    name,
    sequence(...valid),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(basicConstraints(), alternativeNames(['localhost', '127.0.0.1', '::1', host]))),
  )
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', body, privateKey)]))
  const base64 = sequence(body, SIGNATURE, signature).toString('base64').replaceAll(/.{64}/g, '$&\n')
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${base64.trimEnd()}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** Writes a certificate where clients can read it; returns the path. The key stays in memory. */
export function publishCertificate({ cert }: KeyPair): string {
  try {
    const path = join(mkdtempSync(join(tmpdir(), 'kt-provider-')), 'cert.pem')
    writeFileSync(path, cert)
    return path
  } catch (error) {
    throw new UserError(
      `cannot write the certificate under ${tmpdir()}: ${systemReason(error)}`,
      'Make space, name another folder in TMPDIR, or give --tls-cert and --tls-key.',
    )
  }
}

export function withdrawCertificate(path: string): void {
  rmSync(dirname(path), { recursive: true, force: true })
}

const COMMON_NAME = [0x55, 0x04, 0x03]
const ECDSA_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]
const BASIC_CONSTRAINTS = [0x55, 0x1d, 0x13]
const ALTERNATIVE_NAMES = [0x55, 0x1d, 0x11]
const SIGNATURE = sequence(oid(ECDSA_SHA256))

/** Tag, length, value. */
function der(tag: number, value: Buffer): Buffer {
  const { length } = value
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), value])
}

function sequence(...items: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(items))
}

function set(...items: Buffer[]): Buffer {
  return der(0x31, Buffer.concat(items))
}

function oid(bytes: readonly number[]): Buffer {
  return der(0x06, Buffer.from(bytes))
}

/** Top bit off and the next one on: positive, and without a leading zero. */
function positive(bytes: Buffer): Buffer {
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0)
  return bytes
}

function dayFrom(date: Date, days: number): Date {
  const day = new Date(date)
  day.setUTCDate(day.getUTCDate() + days)
  return day
}

/** YYMMDDHHMMSSZ. */
function utcTime(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/\D/g, '').slice(2, 14)
  return der(0x17, Buffer.from(`${digits}Z`))
}

/** A CA, so that clients may name it as one. */
function basicConstraints(): Buffer {
  const isCa = sequence(der(0x01, Buffer.from([0xff])))
  return sequence(oid(BASIC_CONSTRAINTS), der(0x01, Buffer.from([0xff])), der(0x04, isCa))
}

function alternativeNames(hosts: readonly string[]): Buffer {
  const names = [...new Set(hosts)].map((host) => {
    const family = isIP(host)
    return family === 0 ? der(0x82, Buffer.from(host)) : der(0x87, addressBytes(host, family))
  })
  return sequence(oid(ALTERNATIVE_NAMES), der(0x04, sequence(...names)))
}

function addressBytes(address: string, family: number): Buffer {
  if (family === 4) return Buffer.from(address.split('.').map(Number))
  // The URL parser writes an IPv6 address in its one shortest form, without dots; '::' stands for the zeros left out.
  const [before = '', after] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (text: string | undefined): string[] => (text ? text.split(':') : [])
  const [head, tail] = [groups(before), groups(after)]
  const zeros = Array<string>(8 - head.length - tail.length).fill('0')
  const bytes = Buffer.alloc(16)
  for (const [i, group] of [...head, ...zeros, ...tail].entries())
    bytes.writeUInt16BE(Number.parseInt(group, 16), i * 2)
  return bytes
}
