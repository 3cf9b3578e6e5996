/**
 * The cache: off for what could be answered from it, or answering those who did not ask. Whether an answer came from
 * the cache is told by the provider's stamp: the second time it is asked, it says so.
 */

import { leftOutOfKey } from '../../../reference-gateway/config/notices.ts'
import { saysHit } from '../../overhead/cache-status.ts'
import type { KongPlugin } from '../config/read.ts'
import { askedTwice, NO_STAMPS, type ProbeAnswer } from '../probe/measured.ts'
import { type DoctorRule, fine, found, notChecked } from '../rule.ts'

export const cacheDisabled: DoctorRule = {
  id: 'cache-disabled',
  title: 'Deterministic requests are not cached',
  cost: 'every repeated request with temperature 0 is paid for and waited for again',
  fix: {
    how: 'Cache what is asked with temperature 0, by tenant.',
    kt: { gateway: { cache: { enabled: true, backend: 'memory', ttl: '3600s', cache_when: { temperature: 0 } } } },
    litellm: { litellm_settings: { cache: true, cache_params: { type: 'redis', ttl: 3600 } } },
  },
  config: {
    kt: ({ config: { gateway } }) =>
      gateway.cache.enabled
        ? fine(`the cache is on for temperature ${gateway.cache.cache_when.temperature}`)
        : found('warning', 'certain', 'cache.enabled is false'),
    kong: ({ plugins }) => {
      if (plugins.some(({ name }) => name === 'ai-semantic-cache')) return fine('plugin ai-semantic-cache is on')
      const plain = plugins.filter(isProxyCache)
      if (plain.some(cachesPost)) return fine('a proxy-cache plugin is on for POST')
      return found(
        'warning',
        'certain',
        plain.length > 0 ? 'proxy-cache is on for GET and HEAD; chats are POST' : 'no cache plugin is on',
      )
    },
    litellm: ({ config }) =>
      config.litellm_settings?.cache === true
        ? fine('litellm_settings.cache is true')
        : found('warning', 'certain', 'litellm_settings.cache is not true'),
  },
  report: 'every request of a bench is unlike the others, so that no cache can answer it',
  measure: (measured) => {
    const [first, second] = measured.repeated
    const asked = `${askedTwice(measured)}, sent twice`
    const hit = fromCache(first, second)
    if (hit === undefined) return notChecked(second.outcome === 'OK' ? NO_STAMPS : `${asked}: ${second.outcome}`)
    return hit
      ? fine(`${asked}: the provider was asked once`)
      : found('warning', 'certain', `${asked}: the provider was asked twice`)
  },
}

export const sharedCache: DoctorRule = {
  id: 'shared-cache',
  title: 'The cache answers with what somebody else was told',
  cost: "one tenant's answer, and what can be read from it, reaches another; or a prompt gets another prompt's answer",
  fix: {
    how: 'Put who asks, and the whole request, into the key of the cache.',
    kt: {
      gateway: { cache: { key_includes: ['*', 'header:authorization'] } },
    },
    kong: { plugins: [{ name: 'proxy-cache', enabled: false }] },
  },
  config: {
    kt: ({ config: { gateway } }) => {
      if (!gateway.cache.enabled) return fine('nothing is cached')
      const left = leftOutOfKey(gateway.cache)
      return left.length === 0
        ? fine('the tenant and the whole body are in the key')
        : found('warning', 'certain', `cache.key_includes leaves out ${left.join(', ')}`)
    },
    kong: ({ plugins }) =>
      plugins.filter(isProxyCache).some(cachesPost)
        ? found(
            'critical',
            'certain',
            'proxy-cache is on for POST: its key is route, consumer, method and URI, not the body',
            {
              cost: 'every chat of a consumer gets the first answer, whatever was asked',
              how: 'Leave POST out of it; for chats there is ai-semantic-cache.',
            },
          )
        : fine('no plugin here caches POST by its URI'),
    litellm: ({ config }) =>
      config.litellm_settings?.cache === true
        ? found(
            'warning',
            'likely',
            "litellm_settings.cache is true: the key is the request, without the caller's key",
            {
              how:
                'Give each tenant a namespace (cache: {namespace: …} in the request), ' +
                'where tenants must not share.',
            },
          )
        : fine('nothing is cached'),
  },
  report: (report) => {
    const foreign = report.overhead.reduce((sum, { cacheHits }) => sum + cacheHits, 0)
    const stamped = report.overhead.some(({ definition }) => definition === 'provider-stamped')
    if (foreign > 0) {
      return found(
        'critical',
        'certain',
        `${foreign} answers were given to another request before, though no two requests were alike`,
      )
    }
    return stamped ? fine('no answer bore the stamp of another request') : notChecked(NO_STAMPS)
  },
  measure: (measured) => {
    const {
      tenants: [first, second],
      oneIdentity,
    } = measured
    if (oneIdentity) return notChecked('a header given with --header says who all requests are from')
    const asked = `${askedTwice(measured)}, by two clients with keys of their own`
    if (second.outcome === 'KT_HTTP_401')
      return notChecked('the second key was refused: give one of another tenant with --other-api-key')
    const hit = fromCache(first, second)
    if (hit === undefined) return notChecked(second.outcome === 'OK' ? NO_STAMPS : `${asked}: ${second.outcome}`)
    return hit
      ? found('critical', 'certain', `${asked}: the second got the first one's answer`)
      : fine(`${asked}: each was answered by the provider`)
  },
}

/** Whether `second`, the same request, was answered with what `first` was told; undefined where nothing tells. */
function fromCache(first: ProbeAnswer, second: ProbeAnswer): boolean | undefined {
  if (first.outcome !== 'OK' || second.outcome !== 'OK') return undefined
  if (second.stamp?.nonce === first.nonce) return second.stamp.attempt === first.stamp?.attempt
  return saysHit(second.headers)
}

function isProxyCache({ name }: KongPlugin): boolean {
  return name === 'proxy-cache' || name === 'proxy-cache-advanced'
}

/** Kong's default is GET and HEAD. */
function cachesPost({ config }: KongPlugin): boolean {
  return Array.isArray(config.request_method) && config.request_method.includes('POST')
}
