/** The pages that follow from the sources: the commands and their flags, the formats, the classes of outcomes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import stringify from 'json-stringify-pretty-compact'
import { z } from 'zod'
import { jsonSchemas } from '../../src/api/json-schemas.ts'
import { OUTCOMES } from '../../src/wire/outcome.ts'
import { CONFIG_SCHEMA, configSchema } from './config-schema.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const WIDTH = 120

/** Everything that is generated, by its path from the root. It reads the manifest of commands, which a build writes. */
export async function generatedFiles(): Promise<Record<string, string>> {
  const schemas = Object.entries(jsonSchemas())
  const files = [...schemas, [CONFIG_SCHEMA, await configSchema(root)] as const]
  return {
    ...Object.fromEntries(files.map(([name, schema]) => [`fixtures/${name}`, written(schema)])),
    'docs/reference/cli.md': cliPage(),
    'docs/reference/formats.md': formatsPage(Object.fromEntries(schemas)),
    'docs/outcomes.md': withOutcomes(readFileSync(join(root, 'docs/outcomes.md'), 'utf8')),
  }
}

/** What fits on a line stands on one: the schemas are a part of the package. */
function written(schema: object): string {
  return `${stringify(schema, { indent: 1, maxLength: WIDTH })}\n`
}

function withOutcomes(page: string): string {
  const rows = Object.entries(OUTCOMES).map(([code, { means }]) => `| \`${code}\` | ${means} |`)
  const table = ['| class | meaning |', '|---|---|', ...rows].join('\n')
  return page.replace(/(<!-- generated[^\n]*-->\n)[\s\S]*?\n(<!-- end -->)/, `$1${table}\n$2`)
}

const flagSchema = z.object({
  name: z.string(),
  char: z.string().optional(),
  aliases: z.array(z.string()).optional(),
  charAliases: z.array(z.string()).optional(),
  description: z.string().optional(),
  helpGroup: z.string().optional(),
  helpValue: z.union([z.string(), z.array(z.string())]).optional(),
  default: z.unknown().optional(),
  options: z.array(z.string()).optional(),
  env: z.string().optional(),
  type: z.enum(['boolean', 'option']),
  allowNo: z.boolean().optional(),
  hidden: z.boolean().optional(),
})

const commandSchema = z.object({
  id: z.string(),
  summary: z.string().optional(),
  description: z.string().optional(),
  hidden: z.boolean().optional(),
  examples: z.array(z.string()).default([]),
  args: z.record(
    z.string(),
    z.object({ name: z.string(), description: z.string().optional(), required: z.boolean().optional() }),
  ),
  flags: z.record(z.string(), flagSchema),
})

type Flag = z.infer<typeof flagSchema>
type Command = z.infer<typeof commandSchema>

const manifestSchema = z.object({ commands: z.record(z.string(), commandSchema) })

function cliPage(): string {
  const { commands } = manifestSchema.parse(JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')))
  const shown = Object.values(commands)
    .filter(({ hidden }) => !hidden)
    .sort((a, b) => a.id.localeCompare(b.id))
  return page(
    '# Commands and flags',
    'Every command with every flag, as `--help` has them. `npm run docs` writes this page from the sources.',
    shown
      .map(({ id, summary = '' }) => item(`[\`kt ${words(id)}\`](#kt-${words(id).replaceAll(' ', '-')}): ${summary}`))
      .join('\n'),
    ...shown.map(commandSection),
  )
}

function commandSection({ id, summary, description, args, flags, examples }: Command): string {
  const given = Object.values(args)
  const usage = given
    .map(({ name, required }) => ` ${required ? name.toUpperCase() : `[${name.toUpperCase()}]`}`)
    .join('')
  const groups = Map.groupBy(
    Object.values(flags).filter(({ hidden }) => !hidden),
    ({ helpGroup = '' }) => helpGroup,
  )
  return page(
    `## kt ${words(id)}`,
    summary ? wrap(`${summary.replace(/\.$/, '')}.`) : '',
    ...(description ?? '').split(/\n\n+/).map((part) => wrap(plain(part.replaceAll('\n', ' ')))),
    `\`kt ${words(id)}${usage} [FLAGS]\``,
    given.map(({ name, description: what = '' }) => item(`\`${name.toUpperCase()}\`: ${plain(what)}`)).join('\n'),
    ...[...groups].flatMap(([group, of]) => [
      group === '' ? '' : `**${group[0]}${group.slice(1).toLowerCase()}**`,
      of.map((flag) => item(`${names(flag)}${plain(flag.description ?? '')}${facts(flag)}`)).join('\n'),
    ]),
    examples.length > 0
      ? `Examples:\n\n${fence(
          examples.map((example) => `$ ${command(example, id)}`),
          'console',
        )}`
      : '',
  )
}

function names({ name, char, aliases = [], charAliases = [], type, allowNo, helpValue, options }: Flag): string {
  const value = type === 'boolean' ? '' : ` ${shownValue(helpValue) ?? options?.join('|') ?? 'value'}`
  const short = [char, ...charAliases].filter((letter) => letter !== undefined).map((letter) => `\`-${letter}\``)
  const also = aliases.map((alias) => `\`${alias.length === 1 ? '-' : '--'}${alias}\``)
  return `${[`\`--${allowNo ? '[no-]' : ''}${name}${value}\``, ...short, ...also].join(', ')}: `
}

function shownValue(helpValue: Flag['helpValue']): string | undefined {
  return Array.isArray(helpValue) ? helpValue.join('|') : helpValue
}

function facts({ default: given, env }: Flag): string {
  const shown = typeof given === 'string' || typeof given === 'number' ? [`default: ${given}`] : []
  return [...shown, ...(env === undefined ? [] : [`env: ${env}`])].map((fact) => ` [${fact}]`).join('')
}

function command(example: string, id: string): string {
  return example.replaceAll('<%= config.bin %>', 'kt').replaceAll('<%= command.id %>', words(id))
}

interface JsonSchema {
  $ref?: string
  $defs?: Record<string, JsonSchema>
  title?: string
  description?: string
  type?: string
  const?: unknown
  enum?: unknown[]
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  allOf?: JsonSchema[]
  items?: JsonSchema | boolean
  prefixItems?: JsonSchema[]
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: JsonSchema | boolean
}

function formatsPage(schemas: Record<string, object>): string {
  const formats = Object.entries(schemas) as [string, JsonSchema][]
  return page(
    '# Formats',
    wrap(
      'Every property of every format that kt writes, from the JSON Schemas in `fixtures/`. `npm run docs` writes ' +
        'this page. `?`: it may be absent. `[]`: for each entry of a list; `{}`: for each key of a map.',
    ),
    formats
      .map(([file, { title = '', description = '' }]) =>
        item(`[\`${title}\`](#${anchor(title)}): ${description} (\`fixtures/${file}\`)`),
      )
      .join('\n'),
    ...formats.map(([, schema]) =>
      page(`## ${schema.title}`, `${schema.description ?? ''}.`, properties(schema, schema.$defs ?? {}, '').join('\n')),
    ),
  )
}

/** A line for each property, and for those within it, but for what is told elsewhere on the page. */
function properties(schema: JsonSchema, defs: Record<string, JsonSchema>, path: string): string[] {
  const { properties: own = {}, required = [] } = schema
  return Object.entries(own).flatMap(([name, given]) => {
    const at = `${path}${name}${required.includes(name) ? '' : '?'}`
    const what = resolve(given, defs)
    const [inner, suffix] = innermost(what, defs)
    const line = item(
      `\`${at}\` ${typeOf(what, defs)}: ${plain(given.description ?? what.description ?? inner.description ?? '')}`,
    )
    if (isHistogram(inner) && path !== '') return [line]
    return [line, ...variants(inner, defs).flatMap((one) => properties(one, defs, `${at}${suffix}.`))]
  })
}

function resolve(schema: JsonSchema, defs: Record<string, JsonSchema>): JsonSchema {
  const to = schema.$ref?.split('/').at(-1)
  return to === undefined ? schema : resolve(defs[to] ?? {}, defs)
}

/** What a list, a map or a value that may be null holds. */
function innermost(schema: JsonSchema, defs: Record<string, JsonSchema>): [JsonSchema, string] {
  const rest = (schema.anyOf ?? []).filter(({ type }) => type !== 'null')
  if (rest.length === 1 && rest[0]) return innermost(resolve(rest[0], defs), defs)
  const items = schema.prefixItems?.[0] ?? schema.items
  if (typeof items === 'object') {
    const [inner, suffix] = innermost(resolve(items, defs), defs)
    return [inner, `[]${suffix}`]
  }
  if (typeof schema.additionalProperties === 'object') {
    const [inner, suffix] = innermost(resolve(schema.additionalProperties, defs), defs)
    return [inner, `{}${suffix}`]
  }
  return [schema, '']
}

function variants(schema: JsonSchema, defs: Record<string, JsonSchema>): JsonSchema[] {
  const of = schema.oneOf ?? schema.anyOf
  return of ? of.map((one) => resolve(one, defs)) : [schema]
}

/** They are many, and alike. */
function isHistogram({ properties: own = {} }: JsonSchema): boolean {
  return 'hdr' in own
}

function typeOf(schema: JsonSchema, defs: Record<string, JsonSchema>): string {
  const what = resolve(schema, defs)
  if (what.const !== undefined) return `\`${JSON.stringify(what.const)}\``
  if (what.enum) return what.enum.length > 12 ? 'text' : what.enum.map((one) => `\`${one}\``).join(', ')
  const of = what.oneOf ?? what.anyOf
  if (of) return [...new Set(of.map((one) => typeOf(one, defs)))].join(' or ')
  if (what.prefixItems) return 'list'
  return { string: 'text', array: 'list', integer: 'whole number' }[what.type ?? ''] ?? what.type ?? 'anything'
}

function words(id: string): string {
  return id.replaceAll(':', ' ')
}

function anchor(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-')
}

/** No part of a page is HTML or a placeholder of Markdown. */
function plain(text: string): string {
  return text.replaceAll('<', '&lt;')
}

function item(text: string): string {
  return wrap(`- ${text}`, '  ')
}

function wrap(text: string, hanging = '', width = WIDTH): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = `${hanging}${word}`
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join('\n')
}

/** A command that is too long is continued on the next line. */
function fence(commands: string[], language: string): string {
  const lines = commands.map((text) => wrap(text, '    ', WIDTH - 2).replaceAll('\n', ' \\\n'))
  return [`\`\`\`${language}`, ...lines, '```'].join('\n')
}

function page(...parts: string[]): string {
  return `${parts
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join('\n\n')}\n`
}
