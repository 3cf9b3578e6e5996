/**
 * What every kt command shares: errors become one message with what to do next and the right exit code, never a stack;
 * results go to stdout, everything else to stderr; flags may come from the environment.
 */
import { Command } from '@oclif/core'
import type { FlagInput, Input, ParserOutput } from '@oclif/core/interfaces'
import { isColored } from './cli/colors.ts'
import { explainOclif, type OclifError, TWO_ADDRESSES, writeRefusal } from './cli/refusals.ts'
import { explainUnknown, type Refusal } from './cli/unknown-command.ts'
import { EXIT, type ExitCode, reasonOf, UserError } from './errors.ts'
import { makePage, type Page } from './output/table.ts'
import { isAddress, withScheme } from './parse/addresses.ts'
import { fromEnvironment, variableBehind } from './parse/environment.ts'
import { flagGroup, flagsOf } from './parse/flags.ts'
import { apiKeyOf } from './system/environment.ts'
import { printableJson, printableLines, printableValues, writeNote } from './system/printable.ts'
import { widthOf } from './system/terminal.ts'

type Values = Record<string, unknown>

const { toggle, yesOrNo } = flagGroup('GLOBAL')

const baseFlags = flagsOf({
  quiet: toggle('write nothing to stderr but errors'),
  color: yesOrNo('colours, or none [default: on a terminal]'),
})

export abstract class KtCommand extends Command {
  static override baseFlags = baseFlags
  /** Flags of which a run takes one: one that is typed replaces the others of the environment. */
  static rivals: readonly (readonly string[])[] = []

  protected quiet = false
  #color: boolean | undefined

  /**
   * The flags as they were typed, and those of the environment that no typed one replaces. oclif only splits the
   * command line: the words that a flag takes are for the help and for completion, and the flag's own type refuses
   * others.
   */
  protected override async parse<F extends Values, B extends Values, A extends Values>(
    options?: Input<F, B, A>,
    argv?: string[],
  ): Promise<ParserOutput<F, B, A>> {
    const declared = { ...options?.flags, ...baseFlags }
    const flags = Object.fromEntries(
      Object.entries(declared).map(([name, flag]) => [name, { ...flag, options: undefined }]),
    )
    const input = {
      ...(options && { args: options.args, strict: options.strict ?? true }),
      flags: flags as unknown as FlagInput<F>,
    }
    const parsed = await super.parse<F, B, A>(input as Input<F, B, A>, argv)
    const typed = Object.entries(parsed.flags).filter(([, value]) => value !== undefined)
    const replaced = new Set(typed.flatMap(([name]) => this.#rivalsOf(name)))
    const given = Object.entries(fromEnvironment(declared)).filter(([name]) => !replaced.has(name))
    const all = Object.fromEntries([...given, ...typed])
    this.quiet = all.quiet === true
    this.#color = typeof all.color === 'boolean' ? all.color : undefined
    return { ...parsed, flags: all as typeof parsed.flags }
  }

  #rivalsOf(flag: string): readonly string[] {
    return (this.ctor as typeof KtCommand).rivals.find((names) => names.includes(flag)) ?? []
  }

  /** Ends the command with `code`; 0 just returns. */
  protected finish(code: ExitCode): void {
    if (code !== EXIT.passed) this.exit(code)
  }

  /** Prints a result to stdout. */
  protected print(text: string): void {
    this.log(printableLines(text, this.color))
  }

  /** Writes a line to stderr. */
  protected note(line: string): void {
    if (!this.quiet) writeNote(line)
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
    if (flags.url !== undefined && variableBehind('url', flags.url) === undefined)
      throw new UserError(TWO_ADDRESSES.message, TWO_ADDRESSES.next)
    return { ...flags, url: withScheme(argument) }
  }

  /** The key for a target: from the flag, KT_API_KEY or OPENAI_API_KEY, in that order. */
  protected apiKey(flag: string | undefined): string | undefined {
    return flag ?? apiKeyOf(process.env)
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
    const command = { id, args, flags: { ...flags, ...baseFlags } }
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
