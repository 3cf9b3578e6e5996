/**
 * What every kt command shares: errors become one message with what to do next and the right exit code, never a stack;
 * results go to stdout, everything else to stderr.
 */
import { Command } from '@oclif/core'
import { EXIT, type ExitCode, reasonOf, UserError } from './errors.ts'
import { WIDTH, wrap } from './output/table.ts'
import { asUrlFlag } from './parse/addresses.ts'
import { didYouMean } from './parse/explain.ts'
import { apiKeyOf } from './system/environment.ts'
import { printableJson, printableLines, printableValues, writeNote } from './system/printable.ts'

function colored({ isTTY }: { isTTY: boolean }): boolean {
  return isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb'
}

/** What oclif adds to an error: the flags that do not exist, the arguments that are too many. */
type OclifError = Error & { oclif?: { exit?: number }; flags?: string[]; args?: string[] }

export abstract class KtCommand extends Command {
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
    writeNote(line)
  }

  protected printJson(value: unknown): void {
    this.log(printableJson(value, 2))
  }

  /**
   * Shows a result as JSON or as tables. When stdout is the file of an output flag (`taken`), the tables go to
   * stderr, where a person still sees them. The tables get every text of the result on one line.
   */
  protected show<T>(
    { json, taken }: { json: boolean; taken?: string | undefined },
    result: T,
    tables: (result: T, color: boolean) => string,
  ): void {
    if (json || taken === '--output') this.printJson(result)
    if (json) return
    const shown = printableValues(result)
    if (taken === undefined) {
      this.print(tables(shown, this.color))
      return
    }
    const color = colored(process.stderr)
    process.stderr.write(`${printableLines(tables(shown, color), color)}\n`)
  }

  /** The key for a target: from the flag, KT_API_KEY or OPENAI_API_KEY, in that order. */
  protected apiKey(flag: string | undefined): string | undefined {
    return flag ?? apiKeyOf(process.env)
  }

  /** True on a terminal that supports colours. */
  protected get color(): boolean {
    return colored(process.stdout)
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
    const { message, next, code } = this.#explain(error)
    const text = `kt: ${message}${next ? `\n${next.replaceAll(/^/gm, '    ')}` : ''}`
    const lines = printableLines(text)
      .split('\n')
      .flatMap((line) => this.#fit(line))
    process.stderr.write(`${lines.join('\n')}\n`)
    this.exit(code)
  }

  /** Wraps a line on a terminal. In a pipe a line stays whole, so that it can be searched for. */
  #fit(line: string): string[] {
    return process.stderr.isTTY ? wrap(line, Math.min(WIDTH, process.stderr.columns), 4) : [line]
  }

  #explain(error: OclifError): {
    message: string
    next: string
    code: ExitCode
  } {
    if (error instanceof UserError) return { message: error.message, next: error.next, code: error.exitCode }
    if (error.oclif) {
      // oclif puts a headline above the error and writes a switch as --name=true.
      const message = (error.message.split('\nSee more help')[0] ?? '')
        .replace(/^The following errors? occurred:\s*/, '')
        .replaceAll(/(--[a-z-]+)=true\b/g, '$1')
        .trim()
      return {
        message,
        next:
          this.#nearFlag(error.flags) ??
          this.#urlFlag(error.args) ??
          `See 'kt ${this.id?.replaceAll(':', ' ')} --help'.`,
        code: EXIT.usage,
      }
    }
    const detail = process.env.KT_DEBUG ? `\n${error.stack}` : ''
    return {
      message: `unexpected failure: ${reasonOf(error)}${detail}`,
      next: 'This is a bug in kt. Run again with KT_DEBUG=1 and report what it prints.',
      code: EXIT.unexpectedFailure,
    }
  }

  #nearFlag(unknown: string[] | undefined): string | undefined {
    const known = Object.keys((this.ctor as typeof Command).flags)
    const lines = (unknown ?? []).flatMap((flag) => {
      const near = didYouMean(flag.replace(/^-+/, '').split('=')[0] ?? '', known)
      return near ? [`Did you mean --${near}?`] : []
    })
    return lines.length > 0 ? lines.join('\n') : undefined
  }

  #urlFlag(args: string[] | undefined): string | undefined {
    const url = 'url' in (this.ctor as typeof Command).flags ? asUrlFlag(args?.[0] ?? '') : undefined
    return url && `Did you mean ${url}?`
  }
}
