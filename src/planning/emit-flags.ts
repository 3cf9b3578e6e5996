/** The flags of `--emit`. They stand apart from what writes the manifests, whose schemas take long to load. */
import { z } from 'zod'
import { failure } from '../errors.ts'
import { kubernetesName } from '../manifests/manifests.ts'
import { type FlagValues, flagGroup, oneOf } from '../parse/flags.ts'
import { type Rule, rulesOf } from '../parse/parse-flags.ts'
import { ktVersion } from '../system/machine.ts'
import type { EmitOptions } from './settings.ts'

const { text, texts } = flagGroup('MANIFESTS')
const KINDS = ['kubernetes', 'keda', 'helm-values', 'kong', 'terraform'] as const
export type EmitTarget = (typeof KINDS)[number]

const publicUrl = z.string().refine(isPlainHttp, {
  error: ({ input }) => `'${String(input)}' is not an http(s) URL without credentials`,
  params: { next: 'Keys belong into the Secret that the Deployment names.' },
})

function isPlainHttp(given: string): boolean {
  const url = URL.parse(given)
  return (url?.protocol === 'http:' || url?.protocol === 'https:') && !url.username && !url.password
}

/** The flags of `--emit`: where to, and what the manifests cannot know of themselves. */
export const emitFlags = {
  emit: texts(
    z.array(oneOf(KINDS)).optional(),
    `write manifests of this kind into --out: ${KINDS.join(', ')}; repeatable`,
    { helpValue: 'kind' },
  ),
  out: text(z.string().optional(), 'folder for the manifests', { helpValue: 'deploy' }),
  name: text(kubernetesName.optional(), 'name of the deployment', { helpValue: 'kt-gateway' }),
  namespace: text(kubernetesName.optional(), 'namespace of it', { helpValue: 'ai-gateway' }),
  image: text(z.string().optional(), 'image of the gateway', { helpValue: 'kt-bench:0.1.0' }),
  'provider-url': text(publicUrl.optional(), 'base URL of the provider', { helpValue: 'url' }),
  'prometheus-url': text(publicUrl.optional(), 'Prometheus that KEDA asks for bytes sent', { helpValue: 'url' }),
}

type EmitFlagValues = FlagValues<typeof emitFlags>

const rule = rulesOf<EmitFlagValues>()
const EXAMPLE = 'Example: kt plan ... --emit kubernetes --out deploy'

export const EMIT_RULES: readonly Rule<EmitFlagValues>[] = [
  ...(['out', 'name', 'namespace', 'image', 'provider-url', 'prometheus-url'] as const).map((name) =>
    rule(
      [name, 'emit'],
      (options) =>
        options[name] !== undefined &&
        options.emit === undefined &&
        failure(`--${name} has no effect without --emit`, EXAMPLE),
    ),
  ),
  rule(
    ['emit', 'out'],
    ({ emit: kinds, out }) =>
      kinds && out === undefined && failure('--emit needs --out, the folder to write into', EXAMPLE),
  ),
]

export function emitRequest(
  given: EmitFlagValues,
): { targets: EmitTarget[]; folder: string; options: EmitOptions } | undefined {
  const {
    emit: kinds,
    out: folder,
    name = 'kt-gateway',
    namespace = 'ai-gateway',
    image = `kt-bench:${ktVersion}`,
  } = given
  if (!kinds || folder === undefined) return undefined
  const providerUrl = given['provider-url'] ?? 'https://api.openai.com/v1'
  const prometheusUrl = given['prometheus-url'] ?? 'http://prometheus-server.monitoring'
  return { targets: [...new Set(kinds)], folder, options: { name, namespace, image, providerUrl, prometheusUrl } }
}
