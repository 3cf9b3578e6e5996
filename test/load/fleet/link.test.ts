// Who one is to a broker, by NATS' own means, and how sure one is of the broker.
import { writeFileSync } from 'node:fs'
import { nkeys } from '@nats-io/transport-node'
import { afterAll, afterEach, expect, test } from 'vitest'
import { type BrokerAccess, connectTo } from '../../../src/load/fleet/link.ts'
import { selfSigned } from '../../../src/provider/certificate.ts'
import { type Broker, startBroker, whyNoBroker } from '../../support/broker.ts'
import { tempDir } from '../../support/temp-dir.ts'

const dir = tempDir()
let broker: Broker | undefined
afterEach(async () => {
  await broker?.close()
  broker = undefined
})
afterAll(() => dir.remove())

const connect = (address: string, access: BrokerAccess): Promise<string> =>
  connectTo(address, access, '--fleet').then(
    (link) => link.close().then(() => 'in'),
    ({ message }) => message,
  )

function file(name: string, text: string): string {
  writeFileSync(dir.file(name), text)
  return dir.file(name)
}

const base64 = (value: string | Uint8Array): string => Buffer.from(value).toString('base64url')

type Keys = ReturnType<typeof nkeys.createUser>

/** A claim of `issuer` about `subject`, as nsc writes it. */
function jwt(issuer: Keys, subject: Keys, name: string, nats: object): string {
  const header = base64(JSON.stringify({ typ: 'JWT', alg: 'ed25519-nkey' }))
  const iat = 1_700_000_000
  const claim = { jti: name, iat, iss: issuer.getPublicKey(), name, sub: subject.getPublicKey(), nats }
  const signed = `${header}.${base64(JSON.stringify(claim))}`
  return `${signed}.${base64(issuer.sign(new TextEncoder().encode(signed)))}`
}

function credentials(user: Keys, token: string): string {
  const seed = new TextDecoder().decode(user.getSeed())
  return [
    `-----BEGIN NATS USER JWT-----\n${token}\n------END NATS USER JWT------\n`,
    `-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`,
  ].join('\n')
}

test.skipIf(whyNoBroker)(
  'a file of credentials: of a user of the account, of a stranger, and no such file',
  async () => {
    const [operator, system, account] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createAccount()]
    const [user, stranger] = [nkeys.createUser(), nkeys.createUser()]
    const limits = { subs: -1, data: -1, payload: -1, conn: -1, imports: -1, exports: -1, wildcards: true, leaf: -1 }
    const preload = [system, account].map((one) => {
      return `${one.getPublicKey()}: ${jwt(operator, one, 'A', { type: 'account', version: 2, limits })}`
    })
    const userNats = { type: 'user', version: 2, pub: {}, sub: {}, subs: -1, data: -1, payload: -1 }
    broker = await startBroker(
      [
        `operator: ${jwt(operator, operator, 'O', { type: 'operator', version: 2 })}`,
        `system_account: ${system.getPublicKey()}`,
        `resolver: MEMORY\nresolver_preload: { ${preload.join('\n')} }`,
      ].join('\n'),
    )
    const own = file('own.creds', credentials(user, jwt(account, user, 'u', userNats)))
    const foreign = file('foreign.creds', credentials(stranger, jwt(stranger, stranger, 's', userNats)))
    const none = file('none.creds', 'user: kt\n')
    expect(await connect(broker.address, { 'nats-creds': own })).toBe('in')
    expect(await connect(broker.address, { 'nats-creds': foreign })).toMatch(/refuses these credentials/)
    expect(await connect(broker.address, {})).toMatch(/refuses these credentials/)
    expect(await connect(broker.address, { 'nats-creds': none })).toBe(`${none} holds no credentials of a NATS user`)
    expect(await connect(broker.address, { 'nats-creds': dir.file('x') })).toContain(dir.file('x'))
  },
)

test.skipIf(whyNoBroker)('TLS: the certificate must be one that is trusted', async () => {
  const { cert, key } = selfSigned('127.0.0.1')
  const [certFile, keyFile] = [file('cert.pem', cert), file('key.pem', key)]
  const other = file('other.pem', selfSigned('127.0.0.1').cert)
  broker = await startBroker(`tls: { cert_file: "${certFile}", key_file: "${keyFile}" }`)
  const address = broker.address.replace('nats:', 'tls:')
  expect(await connect(address, { 'nats-ca': certFile })).toBe('in')
  expect(await connect(address, { 'nats-ca': other })).toMatch(
    /^no NATS broker answers at tls:.*(?:certificate|signed)/,
  )
  expect(await connect(address, {})).toMatch(/^no NATS broker answers at tls:.*(?:certificate|signed)/)
})
