/** What oclif refuses on a command line, in kt's words; and how every refusal is shown. */
import type { ExitCode } from '../errors.ts'
import { asUrlFlag, isAddress, withoutCredentials } from '../parse/addresses.ts'
import { didYouMean } from '../parse/near.ts'
import { printableJson, printableLines } from '../system/printable.ts'
import { forStream } from '../system/terminal.ts'
import { explainUnknown, type KnownCommand, nearestCommand, type Refusal } from './unknown-command.ts'

/** What oclif adds to an error: the flags that do not exist, the arguments that are too many or missing. */
export type OclifError = Error & {
  oclif?: { exit?: number }
  flags?: string[]
  args?: (string | { name: string; description?: string })[]
}

export const TWO_ADDRESSES: Refusal = {
  message: 'two addresses were given',
  next: 'Give one, as the argument or as --url.',
}

interface KnownFlag {
  aliases?: readonly string[]
}

interface CommandWithFlags extends KnownCommand {
  flags: Readonly<Record<string, KnownFlag>>
}

interface Surroundings {
  /** The command that was called, and with what. */
  command: CommandWithFlags
  argv: readonly string[]
  /** All commands. */
  commands: readonly CommandWithFlags[]
}

/** Undefined where the error is none of the command line. */
export function explainOclif(error: OclifError, around: Surroundings): Refusal | undefined {
  if (!error.oclif) return undefined
  const name = `kt ${around.command.id.replaceAll(':', ' ')}`
  const help = `See '${name} --help'.`
  const { flags, args } = error
  if (flags) {
    const lines = [...new Set(flags.map(nameOf))].flatMap((flag) => flagAdvice(flag, around) ?? [])
    const typed = flags.map((flag) => flag.split('=')[0])
    return {
      message: `there ${typed.length === 1 ? 'is no flag' : 'are no flags'} ${typed.join(' and ')}`,
      next: lines.length > 0 ? lines.join('\n') : help,
    }
  }
  const [first] = args ?? []
  if (typeof first === 'string') {
    const flag = around.argv.findIndex((word) => word.startsWith('-'))
    const leading = flag < 0 ? around.argv : around.argv.slice(0, flag)
    const typed = [...around.command.id.split(':'), ...leading]
    if (nearestCommand(typed, around.commands) !== undefined) return explainUnknown(typed, around.commands, 'kt')
    if ('url' in (around.command.args ?? {}) && isAddress(first)) return TWO_ADDRESSES
    const url = 'url' in around.command.flags ? asUrlFlag(first) : undefined
    const extra = args?.map((arg) => (typeof arg === 'string' ? withoutCredentials(arg) : arg.name)) ?? []
    return {
      message: `'${name}' takes no argument '${extra.join(' ')}'`,
      next: url === undefined ? help : `Did you mean ${url}?`,
    }
  }
  if (args && first) {
    const missing = args.flatMap((arg) =>
      typeof arg === 'string' ? [] : [`${arg.name.toUpperCase()} is missing: ${arg.description}`],
    )
    return { message: missing.join('\n    '), next: help }
  }
  const [, flag = '', what] = /^Flag --(\S+) (expects|can only)/.exec(error.message) ?? []
  if (what === 'expects') return { message: `--${flag} needs a value`, next: help }
  if (what) return { message: `--${flag} was given twice`, next: 'Keep one of them.' }
  return { message: (error.message.split('\nSee more help')[0] ?? '').trim(), next: help }
}

function nameOf(flag: string): string {
  return flag.replace(/^-+/, '').split('=')[0] ?? ''
}

/** The commands that have such a flag, or the flag of this one that is near. */
function flagAdvice(name: string, { command, commands }: Surroundings): string | undefined {
  const others = commands
    .filter(({ flags }) => namesOf(flags).includes(name))
    .map(({ id }) => `kt ${id.replaceAll(':', ' ')}`)
  const near = didYouMean(name, [...namesOf(command.flags), 'help', 'version'])
  if (others.length > 0) return `--${name} is a flag of ${others.slice(0, 3).join(', ')}.`
  return near && `Did you mean --${near}?`
}

function namesOf(flags: Readonly<Record<string, KnownFlag>>): string[] {
  return Object.entries(flags).flatMap(([name, { aliases = [] }]) => [name, ...aliases])
}

/** A refusal on stderr, wrapped on a terminal; and where the caller wants JSON, as an object on stdout. */
export function writeRefusal({ message, next }: Refusal, code: ExitCode, json: boolean): void {
  const text = `kt: ${message}${next ? `\n${next.replaceAll(/^/gm, '    ')}` : ''}`
  const lines = printableLines(text)
    .split('\n')
    .map((line) => forStream(line, process.stderr))
  process.stderr.write(`${lines.join('\n')}\n`)
  if (json) process.stdout.write(`${printableJson({ error: { message, next, exitCode: code } }, 2)}\n`)
}
