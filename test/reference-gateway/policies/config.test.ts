// The keys of policies: what is accepted, what is refused, and the messages.
import { expect, test } from 'vitest'
import { gatewayConfigSchema } from '../../../reference-gateway/config/config.ts'
import { ALL_KINDS, compilePolicy } from '../../../reference-gateway/policies/kinds/kinds.ts'
import { COMMON_KEYS } from '../../../reference-gateway/policies/policy/policy.ts'

function problems(...policies: unknown[]): string[] {
  const result = gatewayConfigSchema({}).safeParse({ policies })
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

const base = { name: 'p', type: 'output_filter', action: 'redact' }

test('the kind of a policy follows from its own key or its name', () => {
  const accepted = [
    { ...base, patterns: ['a+'] },
    { ...base, keywords: ['x'], case_sensitive: true, whole_words: false },
    { ...base, kind: 'pii' },
    { ...base, detect: ['email'], policy_timeout: '5ms', on_timeout: 'fail_open' },
    { ...base, action: 'flag', max_tokens: 10 },
    { ...base, webhook: { url: 'http://127.0.0.1:1/x', max_concurrency: 2, timeout: '1s', headers: { 'x-key': 'v' } } },
    { ...base, name: 'pii-redaction' },
    { ...base, name: 'content-filter', action: 'block' },
  ]
  for (const policy of accepted) expect(problems(policy), JSON.stringify(policy)).toEqual([])
})

test('a policy that cannot work is refused by name', () => {
  expect(problems(base)[0]).toMatch(/policies\.0\.kind: says nothing about what to look for/)
  expect(problems({ ...base, patterns: ['(a'] })[0]).toMatch(/policies\.0\.patterns\.0: .*missing closing \)/)
  expect(problems({ ...base, patterns: ['(?=a)b'] })[0]).toMatch(/invalid or unsupported Perl syntax/)
  expect(problems({ ...base, patterns: ['x*'] })[0]).toMatch(/matches where there is no text/)
  expect(problems({ ...base, kind: 'regex' })[0]).toBe(
    'policies.0.patterns: is missing: a policy of kind regex needs it',
  )
  expect(problems({ ...base, patterns: ['a'], keywords: ['b'] })[0]).toMatch(
    /keywords: belongs to policies of kind keywords/,
  )
  expect(problems({ ...base, max_tokens: 5 })[0]).toMatch(/action: max_tokens can block or flag/)
  expect(problems({ ...base, detect: ['emial'] })).toHaveLength(1)
  expect(problems({ ...base, webhook: { url: 'ftp://x' } })).toEqual(['policies.0.webhook.url: not an http(s) URL'])
  expect(problems({ ...base, webhook: { url: 'http://u:p@x' } })[0]).toMatch(/credentials do not belong in a URL/)
  expect(problems({ ...base, webhook: { url: 'http://169.254.169.254/x' } })[0]).toMatch(/link-local/)
  expect(problems({ ...base, kind: 'pii', pattern: 'x' })).toHaveLength(1)
  expect(problems({ ...base, kind: 'pii' }, { ...base, kind: 'pii' })[0]).toBe(
    "policies.1.name: there are two policies 'p'",
  )
  const groups = problems(
    { ...base, kind: 'pii', parallel_group: 'g' },
    { ...base, name: 'q', type: 'input_filter', kind: 'pii', parallel_group: 'g' },
  )
  expect(groups[0]).toMatch(/policies\.1\.parallel_group: 'g' already holds policies of the other type/)
})

test('a webhook’s headers may hold secrets from the environment; a missing secret is an error', () => {
  const policies = [
    { ...base, webhook: { url: 'http://h/x', headers: { authorization: 'Bearer $'.concat('{HOOK}') } } },
  ]
  const { data } = gatewayConfigSchema({ HOOK: 's3cret' }).safeParse({ policies })
  expect(data?.policies).toMatchObject([{ kind: 'webhook', webhook: { headers: { authorization: 'Bearer s3cret' } } }])
  expect(problems(...policies)).toEqual(['policies.0.webhook.headers.authorization: HOOK is not set'])
})

test('no key belongs to two kinds, so that a policy’s keys tell its kind', () => {
  const keys = [...Object.keys(COMMON_KEYS), 'kind', ...ALL_KINDS.flatMap(({ schema }) => Object.keys(schema.shape))]
  expect(new Set(keys).size).toBe(keys.length)
})

test('each policy becomes one of its own kind; a kind that is none becomes nothing', () => {
  const own = [{ patterns: ['a'] }, { keywords: ['a'] }, { kind: 'pii' }, { max_tokens: 1, action: 'flag' }]
  const url = 'http://127.0.0.1:9/x'
  const policies = [...own, { webhook: { url } }].map((keys, i) => ({ ...base, ...keys, name: `p${i}` }))
  const { data } = gatewayConfigSchema({}).safeParse({ policies })
  const compiled = data?.policies.map((settings) => ({ kind: settings.kind, how: compilePolicy(settings).whole.how }))
  expect(compiled).toEqual([
    { kind: 'regex', how: 'search' },
    { kind: 'keywords', how: 'search' },
    { kind: 'pii', how: 'search' },
    { kind: 'max_tokens', how: 'search' },
    { kind: 'webhook', how: 'question' },
  ])
  expect(problems({ ...base, kind: 'language' })[0]).toMatch(/^policies\.0\.kind: .*"regex"\|"keywords"/)
})
