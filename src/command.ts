/**
 * What every kt command shares: errors become one message with what to do next and the right exit code, never a stack;
 * results go to stdout, everything else to stderr; flags may come from the environment and from kt.yaml.
 */
import { existsSync } from 'node:fs'
import { Command } from '@oclif/core/command'
import type { FlagInput, Input, ParserOutput } from '@oclif/core/interfaces'
import type { ChalkInstance } from 'chalk'
import { z } from 'zod'
import { isColored } from './cli/colors.ts'
import { hasOwnConfig } from './cli/config-sections.ts'
import { explainOclif, type OclifError, TWO_ADDRESSES, writeRefusal } from './cli/refusals.ts'
import { explainUnknown, type Refusal } from './cli/unknown-command.ts'
import { EXIT, type ExitCode, reasonOf, UserError } from './errors.ts'
import { makePage, type Page } from './output/table.ts'
import { isAddress, withScheme } from './parse/addresses.ts'
import { fromEnvironment, isEnvironmentRead, variableBehind } from './parse/environment.ts'
import { flagGroup, flagsOf } from './parse/flags.ts'
import { fromFile, givenOf } from './parse/parse-flags.ts'
import { type FileWrite, writeEach } from './report/write-each.ts'
import { apiKeyOf } from './system/environment.ts'
import { printableJson, printableLines, printableValues, writeNote } from './system/printable.ts'
import { widthOf } from './system/terminal.ts'

type Values = Record<string, unknown>

const { text, toggle, yesOrNo } = flagGroup('GLOBAL')

/** The file that is found in the working folder. */
export const CONFIG_FILE = 'kt.yaml'

/** The flags of commands that take none of their own of kt.yaml. */
export const plainFlags = flagsOf({
  quiet: toggle('write nothing to stderr but errors'),
  color: yesOrNo('colours, or none [default: on a terminal]'),
})

const baseFlags = {
  ...flagsOf({
    config: text(
      z.string().optional(),
      'YAML file with any of these flags as keys, such as max_tokens: 200; flags win over it ' +
        `[default: ${CONFIG_FILE} in this folder, where there is one]`,
      { helpValue: CONFIG_FILE },
    ),
    'no-config': toggle(`leave a ${CONFIG_FILE} in this folder unread`),
  }),
  ...plainFlags,
}

export abstract class KtCommand extends Command {
  static override baseFlags: FlagInput = baseFlags
  /** The flags that a typed one replaces, where the environment or kt.yaml gave them. */
  static rivals: (flag: string) => readonly string[] = () => []

  protected quiet = false
  #color: boolean | undefined

  /**
   * The flags as they were typed, those of the environment that no typed one replaces, and those of kt.yaml that none
   * of them replaces. oclif only splits the command line: the words that a flag takes are for the help and for
   * completion, and the flag's own type refuses others.
   */
  protected override async parse<F extends Values, B extends Values, A extends Values>(
    options?: Input<F, B, A>,
    argv?: string[],
  ): Promise<ParserOutput<F, B, A>> {
    const { baseFlags: shared, rivals } = this.ctor as typeof KtCommand
    const declared = { ...shared, ...options?.flags }
    const flags = Object.fromEntries(
      Object.entries(declared).map(([name, flag]) => [name, { ...flag, options: undefined }]),
    )
    // oclif would take what stands on stdin for an argument that was not given: of a pipe or a loop that reads lines.
    const args = Object.fromEntries(
      Object.entries(options?.args ?? {}).map(([name, arg]) => [name, { ...arg, ignoreStdin: true }]),
    )
    const input = {
      ...(options && { args, strict: options.strict ?? true }),
      flags: flags as unknown as FlagInput<F>,
    }
    const parsed = await super.parse<F, B, A>(input as Input<F, B, A>, argv)
    const typed = Object.entries(parsed.flags).filter(([, value]) => value !== undefined)
    const replaced = new Set(typed.flatMap(([name]) => rivals(name)))
    const given = Object.entries(fromEnvironment(declared)).filter(([name]) => !replaced.has(name))
    const all: Values = Object.fromEntries([...given, ...typed])
    this.quiet = all.quiet === true
    this.#color = typeof all.color === 'boolean' ? all.color : undefined
    return { ...parsed, flags: (await this.#withConfig(all)) as typeof parsed.flags }
  }

  /** The flags, and the keys of kt.yaml that none of them replaces. */
  async #withConfig(flags: Values): Promise<Values> {
    const { id = '', baseFlags: shared, rivals } = this.ctor as typeof KtCommand
    if (!('no-config' in shared)) return flags
    const { 'no-config': none, ...rest } = flags
    const { config, ...others } = rest
    const ownConfig = hasOwnConfig(id)
    const asked = ownConfig ? undefined : config
    const found = none !== true && isEnvironmentRead() && existsSync(CONFIG_FILE)
    const path = typeof asked === 'string' ? asked : found ? CONFIG_FILE : undefined
    const given = ownConfig ? rest : others
    if (path === undefined) return given
    const { readConfig } = await import('./cli/config-file.ts')
    const { values, file } = readConfig(path, id, this.config.commands, rivals)
    const dropped = new Set(Object.keys(given).flatMap((name) => [name, ...rivals(name)]))
    const taken = Object.entries(values).filter(([name]) => !dropped.has(name))
    if (asked === undefined && taken.length > 0)
      this.note(`kt: options from ${CONFIG_FILE} in this folder (--no-config leaves it out)`)
    const keys = new Map([...file.keys].filter(([name]) => name in values && !dropped.has(name)))
    return fromFile({ ...Object.fromEntries(taken), ...given }, { path, keys })
  }

  /** Ends the command with `code`; 0 just returns. */
  protected finish(code: ExitCode): void {
    if (code !== EXIT.passed) this.exit(code)
  }

  /**
   * Writes the files that stand beside a result which is shown already. What cannot be written is said on stderr alone,
   * since stdout has the result; its exit code is that of the command.
   */
  protected async writeBeside(...writes: readonly FileWrite[]): Promise<ExitCode | undefined> {
    try {
      await writeEach(writes)
      return undefined
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      writeRefusal(error, error.exitCode, false)
      return error.exitCode
    }
  }

  /** Prints a result to stdout. */
  protected print(text: string): void {
    this.log(printableLines(text, this.color))
  }

  /** Writes a line to stderr; an error also with --quiet. */
  protected note(line: string, isError = false): void {
    if (isError || !this.quiet) writeNote(line)
  }

  protected printJson(value: unknown): void {
    this.log(printableJson(value, 2))
  }

  /**
   * Shows a result as JSON or as tables. When stdout is the file of an output flag (`taken`), the tables go to
   * stderr, where a person still sees them. The tables get every text of the result on one line.
   */
  protected show<T>(
    { json, taken, explain }: { json: boolean; taken?: string | undefined; explain?: boolean },
    result: T,
    tables: (result: T, page: Page) => string,
  ): void {
    if (json || taken === '--output') this.printJson(result)
    if (json) return
    const shown = printableValues(result)
    if (taken === undefined) {
      this.print(tables(shown, this.page(explain)))
      return
    }
    if (this.quiet) return
    const color = isColored(process.stderr, this.#color)
    const page = makePage(widthOf(process.stderr), color, explain)
    process.stderr.write(`${printableLines(tables(shown, page), color)}\n`)
  }

  /** What stdout shows. */
  protected page(explain?: boolean): Page {
    return makePage(widthOf(process.stdout), this.color, explain)
  }

  /** The flags, with the address that was given as the argument as their --url. */
  protected withUrl<T extends { url?: string | undefined }>(flags: T, argument: string | undefined): T {
    if (argument === undefined) return flags
    if (!isAddress(argument)) {
      const words = [...(this.id ?? '').split(':'), argument]
      const { message, next } = explainUnknown(words, this.config.commands, this.config.bin)
      throw new UserError(message, next)
    }
    if (this.typed(flags, 'url') !== undefined) throw new UserError(TWO_ADDRESSES.message, TWO_ADDRESSES.next)
    return { ...flags, url: withScheme(argument) }
  }

  /** The value of a flag that was typed: none where the environment or kt.yaml gave it. */
  protected typed<T extends Values, K extends keyof T & string>(flags: T, name: K): T[K] | undefined {
    const isTyped = variableBehind(name, flags[name]) === undefined && !givenOf(flags).file?.keys.has(name)
    return isTyped ? flags[name] : undefined
  }

  /** The key for a target: from the flag, KT_API_KEY or OPENAI_API_KEY, in that order. */
  protected apiKey(flag: string | undefined): string | undefined {
    return flag ?? apiKeyOf(process.env)
  }

  /** Colours for what is drawn on stderr. */
  protected get chalk(): ChalkInstance {
    return makePage(widthOf(process.stderr), isColored(process.stderr, this.#color)).c
  }

  /** True where stdout gets colours. */
  protected get color(): boolean {
    return isColored(process.stdout, this.#color)
  }

  /**
   * A signal that is aborted at the first Ctrl-C or SIGTERM. The second one aborts `hurry`, where it is given; the
   * next ends the process at once.
   */
  protected interruption(hurry?: AbortController): AbortSignal {
    const controller = new AbortController()
    const stop = (): void => {
      if (!controller.signal.aborted) controller.abort()
      else if (hurry && !hurry.signal.aborted) hurry.abort()
      else process.exit(EXIT.interrupted)
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
    return controller.signal
  }

  protected override async catch(error: OclifError): Promise<void> {
    if (error.oclif?.exit !== undefined && error.message.startsWith('EEXIT')) throw error
    const { code, ...refusal } = this.#explain(error)
    writeRefusal(refusal, code, this.argv.includes('--json'))
    this.exit(code)
  }

  #explain(error: OclifError): Refusal & { code: ExitCode } {
    if (error instanceof UserError) return { message: error.message, next: error.next, code: error.exitCode }
    const { id = '', flags, args } = this.ctor as typeof Command
    const command = { id, args, flags: { ...(this.ctor as typeof KtCommand).baseFlags, ...flags } }
    const { argv, config } = this
    const refused = explainOclif(error, { command, argv, commands: config.commands })
    if (refused) return { ...refused, code: EXIT.usage }
    const detail = process.env.KT_DEBUG ? `\n${error.stack}` : ''
    return {
      message: `unexpected failure: ${reasonOf(error)}${detail}`,
      next: 'This is a bug in kt. Run again with KT_DEBUG=1 and report what it prints.',
      code: EXIT.unexpectedFailure,
    }
  }
}
