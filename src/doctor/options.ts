/** The flags of `kt doctor` with their types, and what contradicts what. */
import { z } from 'zod'
import { encryptsNothing, NETWORK_RULES, networkFlags } from '../bench/options/network.ts'
import { address } from '../client/target.ts'
import { failure } from '../errors.ts'
import { htmlFlag } from '../page/flag.ts'
import { headerLine } from '../parse/config-values.ts'
import { type FlagValues, flagGroup, oneOf } from '../parse/flags.ts'
import { parseFlags, rulesOf } from '../parse/parse-flags.ts'
import { SEVERITIES } from '../report/doctor-schema.ts'
import { ENDPOINTS } from '../wire/endpoints.ts'
import { DEFAULT_MODEL } from '../workload/choose.ts'

const { text, texts, toggle } = flagGroup()

/** kt builds no request of the other. */
const PROBED = ENDPOINTS.filter((name) => name !== 'raw')

export const doctorFlags = {
  config: text(z.string().optional(), 'config of a gateway, as the argument names it', { helpValue: 'file.yaml' }),
  report: text(z.string().optional(), 'report of kt bench through the gateway', { helpValue: 'r.json' }),
  url: text(address.optional(), 'URL of a running gateway to measure'),
  endpoint: text(oneOf(PROBED).default('chat'), 'API to ask it by [default: chat]', { helpValue: PROBED.join('|') }),
  'provider-url': text(
    address.optional(),
    "kt's simulated provider behind the gateway [default: the one in the config]",
  ),
  run: toggle('start the gateway from the config in front of a simulated provider, and measure it'),
  'api-key': text(z.string().optional(), 'API key for the gateway; safer in KT_API_KEY'),
  'other-api-key': text(z.string().optional(), "another tenant's key, to test whether the cache keeps tenants apart"),
  header: texts(z.array(headerLine).default([]), "extra header 'Name: value'; repeatable"),
  model: text(z.string().default(DEFAULT_MODEL), `model to ask for [default: ${DEFAULT_MODEL}]`),
  ...networkFlags,
  severity: text(
    oneOf(SEVERITIES).default('warning'),
    'lowest severity of findings that gives exit 3 [default: warning]',
    { helpValue: SEVERITIES.join('|') },
  ),
  ...htmlFlag,
  json: toggle('print the diagnosis as JSON (kt.doctor/1)'),
  explain: toggle('also list the rules that are fine, and why others could not be checked'),
}

export type DoctorOptions = FlagValues<typeof doctorFlags>

const rule = rulesOf<DoctorOptions>()

const RULES = [
  ...NETWORK_RULES,
  rule(['ca', 'insecure', 'url'], ({ url, ...trusted }) => encryptsNothing(trusted, [url])),
  rule(
    ['config', 'report', 'url', 'run'],
    ({ config, report, url, run }) =>
      config === undefined &&
      report === undefined &&
      url === undefined &&
      !run &&
      failure(
        'there is nothing to examine',
        'Give a config (kt doctor gateway.yaml), a report (--report r.json) or a gateway (kt doctor http://…).',
      ),
  ),
  rule(
    ['run', 'url'],
    ({ run, url }) =>
      run && url && failure('--run starts a gateway of its own: --url names another', 'Leave one of them out.'),
  ),
  rule(
    ['run', 'config'],
    ({ run, config }) =>
      run && config === undefined && failure('--run needs a config to start', 'Give one: kt doctor gateway.yaml --run'),
  ),
  rule(
    ['provider-url', 'url'],
    ({ 'provider-url': provider, url }) =>
      provider && !url && failure('--provider-url names the provider behind --url', 'Give --url too.'),
  ),
]

/** `given` holds the flags, and the argument as `config`. */
export function parseDoctorOptions(given: Readonly<Record<string, unknown>>): DoctorOptions {
  return parseFlags(given, doctorFlags, 'kt doctor', RULES)
}
