// Several gateways on the command line: names, addresses, headers and keys of their own, and what is refused.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { buildPlan } from '../../../src/bench/build-plan.ts'
import { commandLine } from '../../../src/bench/config.ts'
import { dryRun } from '../../../src/bench/dry-run.ts'
import { secretsOf } from '../../../src/bench/options/target.ts'
import { parseBenchOptions } from '../../../src/bench/options.ts'
import { armNames, namedTargets } from '../../../src/bench/targets.ts'
import { messageOf } from '../../support/refusal.ts'

const refused = (values: Record<string, unknown>) => messageOf(() => parseBenchOptions({ values }))
const two = ['envoy=http://127.0.0.1:1', 'litellm=http://127.0.0.1:2']
const baseline = { 'baseline-url': 'http://127.0.0.1:3' }

afterEach(() => vi.unstubAllEnvs())

function planOf(values: Record<string, unknown>) {
  const options = parseBenchOptions({ values })
  return { options, plan: buildPlan(options.target, options.request, options.load, namedTargets(options.target)) }
}

describe('arms', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['no name', { arm: ['http://127.0.0.1:1'] }, "--arm: 'http://127.0.0.1:1' is not the beginning of NAME=…"],
    ['a bad name', { arm: ['my gw=http://h'] }, "--arm: 'my gw' is not the beginning of NAME=…"],
    ['a name of kt', { arm: ['direct=http://h'] }, 'the names baseline, direct, target are those of arms'],
    ['equal names', { arm: ['a=http://h', 'A=http://i'] }, 'two arms are called A'],
    ['no address', { arm: ['a=ftp://h'] }, '--arm: a: must begin with http://'],
    ['equal addresses', { arm: ['a=http://h', 'b=http://h/v1'] }, 'the arms a and b are one address: http://h/v1/chat'],
    ['two names of one', { arm: ['a=http://localhost:1', 'b=http://127.0.0.1:1'] }, 'the arms a and b are one address'],
    ['the baseline', { arm: ['a=http://127.0.0.1:3/v1'], ...baseline }, 'the arm a is the baseline itself: http://127'],
    ['another endpoint', { arm: ['a=http://h/v1/embeddings'] }, '--arm a names the embeddings endpoint'],
    ['--url', { arm: two, url: 'http://h' }, '--url does not go with --arm'],
    ['--aa', { arm: two, aa: true }, '--aa does not go with --arm'],
    ['the embedded pair', { arm: two, 'inject-delay': '1ms' }, '--inject-delay does not go with --arm'],
    [
      'a header of nobody',
      { arm: two, 'arm-header': ['envoi=a: b'] },
      'no arm of this run is called envoi\nDid you mean',
    ],
    ['a header of no baseline', { arm: two, 'arm-header': ['baseline=a: b'] }, 'no arm of this run is called baseline'],
    ['no header', { arm: two, 'arm-header': ['envoy=a'] }, "--arm-header: envoy: not of the form 'Name: value'"],
    ['a key that is none', { arm: two, 'arm-api-key': ['envoy=sk-1'] }, 'not the name of a variable'],
    ['no key', { arm: two, 'arm-api-key': ['envoy=KT_NONE'] }, 'the variable KT_NONE is not set'],
    ['an SLO', { arm: two, slo: 'chat-short' }, '--slo judges one gateway, and --arm names several'],
    ['one arm and pairing', { arm: two.slice(0, 1), pairing: 'block' }, '--pairing needs a run with two arms'],
  ])('refuses %s', (_, values, words) => {
    expect(refused(values)).toContain(words)
  })

  it('are measured in the order of the command line, the baseline last', () => {
    const { plan, options } = planOf({ arm: two, ...baseline })
    expect(plan.arms.map(({ name, origin }) => [name, origin])).toEqual([
      ['envoy', 'http://127.0.0.1:1'],
      ['litellm', 'http://127.0.0.1:2'],
      ['direct', 'http://127.0.0.1:3'],
    ])
    expect(plan).toMatchObject({ baseline: 2, outlivesArms: true, pairing: 'block', compareAnswers: true })
    expect(armNames(options.target)).toEqual(['envoy', 'litellm', 'baseline'])
    expect(planOf({ arm: two }).plan).toMatchObject({ baseline: undefined, outlivesArms: true, compareAnswers: false })
  })

  it('are one arm and its baseline where there is one, as with --url', () => {
    const { plan, options } = planOf({ arm: two.slice(0, 1), ...baseline })
    expect(plan).toMatchObject({ arms: [{ name: 'envoy' }, { name: 'direct' }], baseline: 1, outlivesArms: false })
    expect(armNames(options.target)).toEqual(['gateway', 'baseline'])
    const url = planOf({ url: 'http://127.0.0.1:1', ...baseline }).plan
    expect(url).toMatchObject({ arms: [{ name: 'gateway' }, { name: 'direct' }], baseline: 1, outlivesArms: false })
    expect(planOf({ url: 'http://127.0.0.1:1' }).plan).toMatchObject({ baseline: undefined, pairing: undefined })
  })

  it('have headers and keys of their own, which no text shows', async () => {
    vi.stubEnv('ENVOY_KEY', 'sk-envoy')
    vi.stubEnv('PROVIDER_KEY', 'sk-provider')
    const values = {
      ...{ arm: two, ...baseline, 'api-key': 'sk-all', header: ['x-all: all'] },
      'arm-header': ['litellm=x-own: own-secret', 'litellm=x-all: other'],
      'arm-api-key': ['envoy=ENVOY_KEY', 'baseline=PROVIDER_KEY'],
    }
    const { plan, options } = planOf(values)
    const [envoy, litellm, direct] = plan.arms.map(({ headers }) => headers)
    expect(envoy).toMatchObject({ authorization: 'Bearer sk-envoy', 'x-all': 'all' })
    expect(envoy).not.toHaveProperty('x-own')
    expect(litellm).toMatchObject({ authorization: 'Bearer sk-all', 'x-own': 'own-secret', 'x-all': 'other' })
    expect(direct).toMatchObject({ authorization: 'Bearer sk-provider', 'x-all': 'all' })
    expect(secretsOf(options.target)).toEqual(
      expect.arrayContaining(['sk-all', 'all', 'own-secret', 'other', 'sk-envoy', 'sk-provider']),
    )
    const shown = JSON.stringify(await dryRun(options))
    for (const secret of ['sk-envoy', 'own-secret', 'sk-provider', 'sk-all']) expect(shown).not.toContain(secret)
    expect(shown).toContain('ENVOY_KEY')
    expect(commandLine(['kt', 'bench', '--arm-header', 'a=x: secret', '--arm=a=http://h?key=1'])).toBe(
      "kt bench --arm-header *** '--arm=a=http://h?***'",
    )
  })
})
