/** A client that leaves: does the provider hear of it, or does it write on, and bill, for nobody? */
import { formatMs } from '../../units.ts'
import { NO_PROVIDER } from '../probe/measured.ts'
import { fine, found, notChecked, onlyMeasured, type Rule } from '../rule.ts'

/** The provider must have been at it for this much longer than the client stayed. */
const MARGIN_US = 100_000

export const disconnectIgnored: Rule = {
  id: 'disconnect-ignored',
  title: 'The provider is not told that a client has left',
  cost: 'answers are generated to their end, and billed, for nobody; each holds a connection meanwhile',
  fix: { how: "Abort the upstream request when the client's connection closes." },
  config: onlyMeasured('no key of a config shows it'),
  report: 'no client of a bench leaves early',
  measure: ({ left, provider }) => {
    if (!provider) return notChecked(NO_PROVIDER)
    const record = provider.truth.get(left.nonce)?.[0]
    if (!record) return notChecked('the provider has no record of the request')
    if (record.aborted) return fine(`the client left, and the provider noticed after ${record.tokens} tokens`)
    const wroteUs = (record.lastWriteUs ?? record.receivedUs) - record.receivedUs
    if (left.outcome === 'OK' || wroteUs < left.tookUs + MARGIN_US) {
      return notChecked(
        'the provider was done before the client could leave: start it with a --token-gap of 2ms or more',
      )
    }
    const [stayed, wrote] = [left.tookUs, wroteUs].map((us) => formatMs(us / 1_000))
    return found(
      'warning',
      'certain',
      `the client left after ${stayed} ms; the provider wrote on until ${wrote} ms, ${record.tokens} tokens`,
    )
  },
}
