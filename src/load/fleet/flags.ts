/**
 * The flags of everything that talks to a fleet: the broker, who one is to it, labels of workers. They load nothing of
 * the fleet itself.
 */
import { z } from 'zod'
import { failure, type Result, success } from '../../errors.ts'
import { flagGroup } from '../../parse/flags.ts'
import { parsedBy } from '../../parse/quantity.ts'

/** How one says who one is; the environment may say it as the command line of NATS has it. */
export function natsFlags(group?: string) {
  const { text } = flagGroup(group)
  const file = z.string().optional()
  return {
    'nats-creds': text(file, 'file of credentials for the NATS broker [default: NATS_CREDS]', {
      helpValue: 'worker.creds',
    }),
    'nats-ca': text(file, 'certificates to trust the broker by, PEM [default: NATS_CA]', { helpValue: 'ca.pem' }),
    'nats-cert': text(file, 'own certificate for the broker, PEM [default: NATS_CERT]', { helpValue: 'cert.pem' }),
    'nats-key': text(file, 'the key of that certificate, PEM [default: NATS_KEY]', { helpValue: 'key.pem' }),
  }
}

export interface Credentials {
  'nats-creds'?: string | undefined
  'nats-ca'?: string | undefined
  'nats-cert'?: string | undefined
  'nats-key'?: string | undefined
}

/** 'nats://host:4222' or 'tls://host:4222', or several of one cluster with commas between them. */
export const brokerAddress = z.string().refine((given) => given.split(',').every(isAddress), {
  error: ({ input }) => `'${String(input).replace(/\/\/.*@/, '//…@')}' is no address such as nats://10.0.0.1:4222`,
})

/** A user or password does not belong in an address, which stands in reports and lists of processes. */
function isAddress(text: string): boolean {
  const url = URL.parse(text.trim())
  return (url?.protocol === 'nats:' || url?.protocol === 'tls:') && url.hostname !== '' && url.username === ''
}

/** Of the commands that are about a fleet. */
export const fleetNats = {
  nats: flagGroup().text(brokerAddress, 'the NATS broker of the fleet', {
    example: 'nats://10.0.0.1:4222',
    default: 'nats://127.0.0.1:4222',
  }),
  ...natsFlags(),
}

/** 'zone=a,rack=2' */
export const workerLabels = parsedBy((text): Result<Record<string, string>> => {
  const pairs = text.split(',').map((pair) => /^\s*([\w./-]+)=([\w./-]*)\s*$/.exec(pair))
  if (pairs.some((pair) => pair === null)) return failure(`'${text}' is not of the form key=value,key=value`)
  return success(Object.fromEntries(pairs.flatMap((pair) => (pair ? [[pair[1] ?? '', pair[2] ?? '']] : []))))
})
