/** The JSON Schema of kt.yaml, for editors: from the types of the flags of every command that reads the file. */
import { Config, settings } from '@oclif/core'
import { z } from 'zod'
import { configKeys, readsConfig, TOP } from '../../src/cli/config-sections.ts'
import { OTHER_NAMES } from '../../src/parse/flag-names.ts'
import { keyOf } from '../../src/parse/parse-flags.ts'

export const CONFIG_SCHEMA = 'kt.yaml.schema.json'

type Json = Record<string, unknown>

interface Flag {
  type: 'boolean' | 'option'
  description?: string
  multiple?: boolean
  valueType?: z.ZodType
}

interface Command {
  id: string
  summary: string
  flags: Record<string, Flag>
}

export async function configSchema(root: string): Promise<Json> {
  const commands = await loadCommands(root)
  const defs = new Definitions()
  const sections = [...configKeys(commands)].map(([name, keys]) => {
    const members = commands.filter(({ flags }) => keys.some((key) => key in flags))
    const flagOfSection = (key: string): Flag | undefined =>
      (members.find(({ id }) => id === name.replaceAll(' ', ':')) ?? members.find(({ flags }) => key in flags))?.flags[
        key
      ]
    return { name, properties: propertiesOf(keys, (key) => defs.add(key, flagOfSection(key) ?? anyFlag(members, key))) }
  })
  const top = sections.find(({ name }) => name === TOP)?.properties
  const named = sections.filter(({ name }) => name !== TOP)
  return {
    $id: 'urn:kt-bench:kt.yaml',
    title: 'kt.yaml',
    description: 'kt.yaml: flags of kt as keys; at the top those of kt bench and kt bench sweep',
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    ...top,
    properties: {
      ...top?.properties,
      ...Object.fromEntries(
        named.map(({ name, properties }) => [
          name,
          {
            type: ['object', 'null'],
            description: `the flags of kt ${name}`,
            ...properties,
            additionalProperties: false,
          },
        ]),
      ),
    },
    additionalProperties: false,
    $defs: defs.all,
  }
}

function anyFlag(commands: readonly Command[], key: string): Flag {
  const flag = commands.find(({ flags }) => key in flags)?.flags[key]
  if (!flag) throw new Error(`no command has a flag ${key}`)
  return flag
}

/** In snake_case, which an editor offers; other spellings and names are taken too. */
function propertiesOf(keys: readonly string[], refOf: (key: string) => Json) {
  const refs = keys.map((key) => [key, refOf(key)] as const)
  const others = refs.flatMap(([key, ref]) => {
    const aliases = (OTHER_NAMES[key]?.aliases ?? []).filter((alias) => !keys.includes(alias))
    const names = [key, ...aliases].flatMap((name) => [name, keyOf(name)]).filter((name) => name !== keyOf(key))
    return names.length > 0 ? [[`^(?:${[...new Set(names)].join('|')})$`, ref] as const] : []
  })
  return {
    properties: Object.fromEntries(refs.map(([key, ref]) => [keyOf(key), ref])) as Json,
    patternProperties: Object.fromEntries(others),
  }
}

/** What flags of one name have alike stands there once. */
class Definitions {
  readonly all: Record<string, Json> = {}

  add(key: string, flag: Flag): Json {
    const schema = valueSchema(flag)
    const text = JSON.stringify(schema)
    for (let number = 1; ; number++) {
      const name = number === 1 ? keyOf(key) : `${keyOf(key)}_${number}`
      this.all[name] ??= schema
      if (JSON.stringify(this.all[name]) === text) return { $ref: `#/$defs/${name}` }
    }
  }
}

function valueSchema({ type, description = '', multiple, valueType }: Flag): Json {
  if (type === 'boolean') return { description, type: 'boolean' }
  if (!valueType) throw new Error(`a flag without a type: ${description}`)
  const {
    $schema: _,
    default: __,
    ...schema
  } = z.toJSONSchema(valueType, { io: 'input', unrepresentable: 'any' }) as Json
  // A single value of a repeatable flag needs no list.
  return multiple ? { description, anyOf: [schema, schema.items] } : { description, ...schema }
}

// Else oclif looks for TypeScript, and warns that there is none.
settings.enableAutoTranspile = false

async function loadCommands(root: string): Promise<Command[]> {
  const { commands } = await Config.load(root)
  const loaded = await Promise.all(
    commands.filter(readsConfig).map(async (command) => {
      const { baseFlags, flags, summary = '' } = await command.load()
      return { id: command.id, summary, flags: { ...baseFlags, ...flags } as Record<string, Flag> }
    }),
  )
  return loaded.sort((a, b) => a.id.localeCompare(b.id))
}
