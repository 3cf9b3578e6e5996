/**
 * The pages of --help: what a command needs first comes first, flags in the order in which the command declares them,
 * text wrapped at blanks, and at the end exit codes and the environment. oclif builds the parts.
 */
import type { Command } from '@oclif/core/command'
import { CommandHelp, Help } from '@oclif/core/help'
import type * as Interfaces from '@oclif/core/interfaces'
import { EXIT_MEANINGS } from '../errors.ts'

/** The groups of flags that come first; others follow as they are declared, and the flags of all commands last. */
const FIRST_GROUPS = ['TARGET', 'LEVELS', 'REQUEST', 'LOAD', 'RESULT', 'CI', 'EMBEDDED PAIR']
const LAST_GROUP = 'GLOBAL'

const ROOT_ORDER = [
  'bench',
  'doctor',
  'slo',
  'report',
  'plan',
  'capacity',
  'gateway',
  'cache',
  'events',
  'provider',
  'profiles',
  'init',
]

const ENVIRONMENT: [string, string][] = [
  ['KT_<FLAG>', 'any flag: KT_REQUESTS=500 is --requests 500; a flag wins over it, and it wins over kt.yaml'],
  ['KT_API_KEY', 'API key for the target; without it OPENAI_API_KEY'],
  ['NO_COLOR, FORCE_COLOR', 'no colours, or colours in a pipe too'],
]

/** Of commands that have none of their own. */
const SUMMARIES: Readonly<Record<string, string>> = { version: 'Show which kt this is.' }

const MORE = 'More: README.md and docs/, which are installed with kt.'

type FlagHelp = Command.Flag.Any

class KtCommandHelp extends CommandHelp {
  protected override defaultUsage(): string {
    const args = Object.values(this.command.args ?? {}).map((arg) => this.arg(arg))
    return [this.command.id, ...args, '[FLAGS]'].join(' ')
  }

  protected override groupFlags(flags: FlagHelp[]): ReturnType<CommandHelp['groupFlags']> {
    const { mainFlags, flagGroups } = super.groupFlags(flags)
    const rank = (group: string): number => {
      if (group === LAST_GROUP) return Number.POSITIVE_INFINITY
      const place = FIRST_GROUPS.indexOf(group)
      return place < 0 ? FIRST_GROUPS.length : place
    }
    const ordered = Object.entries(flagGroups).sort(([a], [b]) => rank(a) - rank(b))
    if (ordered.length === 1) return { mainFlags, flagGroups }
    const grouped =
      mainFlags.length > 0 ? [...ordered.slice(0, -1), ['OUTPUT', mainFlags], ...ordered.slice(-1)] : ordered
    return { mainFlags: [], flagGroups: Object.fromEntries(grouped) }
  }

  /**
   * oclif cuts the indent of the first flag off, which is that of a flag without a letter; and where it puts texts
   * below their flags, it leaves two columns of their indent out of their width.
   */
  override renderList(...[rows, options]: Parameters<CommandHelp['renderList']>): string {
    const [indent = ''] = /^ */.exec(rows[0]?.[0] ?? '') ?? []
    return indent + super.renderList(rows, { ...options, indentation: options.indentation + 2 })
  }

  protected override description(): string | undefined {
    const { description } = this.command
    return description && paragraphs(description, (text) => this.wrap(text))
  }

  protected override examples(examples: Command.Example[] | string | undefined): string | undefined {
    const shown = (Array.isArray(examples) ? examples : []).filter((example) => typeof example === 'string')
    const width = this.opts.maxWidth - 2 * this.indentSpacing
    return shown.length === 0
      ? undefined
      : shown.map((example) => wrapCommand(`$ ${this.render(example)}`, width)).join('\n\n')
  }

  protected override sections(): ReturnType<CommandHelp['sections']> {
    const section = (header: string, rows: [string, string][]): ReturnType<CommandHelp['sections']>[number] => ({
      header,
      generate: () => [{ header, body: rows }],
    })
    const more = [section('EXIT CODES', Object.entries(EXIT_MEANINGS)), section('ENVIRONMENT', ENVIRONMENT)]
    return [...super.sections(), ...more]
  }
}

export default class KtHelp extends Help {
  protected override CommandHelpClass = KtCommandHelp

  constructor(config: Interfaces.Config, options: Partial<Interfaces.HelpOptions> = {}) {
    super(config, { ...options, flagSortOrder: 'none' })
  }

  /** The summary, which oclif leaves to the terminal to break, and then the page. */
  override async showCommandHelp(command: Command.Loadable): Promise<void> {
    const under = this.sortedCommands.filter(({ id }) => id.startsWith(`${command.id}:`))
    this.log(`${this.wrap(this.summary(command) ?? '', 0)}\n`)
    this.log(`${this.formatCommand(command)}\n`)
    if (under.length > 0) this.log(`${this.formatCommands(under)}\n`)
    this.log(MORE)
  }

  protected override async showRootHelp(): Promise<void> {
    this.log(`${this.formatRoot()}\n`)
    this.log(`${this.section('COMMANDS', this.renderList(this.#rootList(), { indentation: 2, spacer: '\n' }))}\n`)
    const { bin } = this.config
    const more = [
      `'${bin} COMMAND --help' shows a command with its flags, examples, exit codes and environment.`,
      `'${bin} init' writes a kt.yaml, '${bin} autocomplete' sets up completion.`,
      MORE,
    ]
    this.log(more.map((line) => this.wrap(line, 0)).join('\n'))
  }

  /** Commands and topics in one list, each once. */
  #rootList(): [string, string][] {
    const topics = this.config.topics.filter(({ name, hidden, description }) => {
      return !name.includes(':') && !hidden && description
    })
    const commands = this.sortedCommands.filter(({ id }) => !id.includes(':'))
    const summaries = new Map([
      ...commands.map((command) => [command.id, this.summary(command) ?? SUMMARIES[command.id] ?? ''] as const),
      ...topics.map(({ name, description = '' }) => [name, this.render(description)] as const),
    ])
    const place = (name: string): number => (ROOT_ORDER.includes(name) ? ROOT_ORDER.indexOf(name) : ROOT_ORDER.length)
    return [...summaries].sort(([a], [b]) => place(a) - place(b) || a.localeCompare(b))
  }
}

/** Blank lines part the paragraphs of a text; other line ends are blanks. */
function paragraphs(text: string, wrap: (text: string) => string): string {
  return text
    .split('\n\n')
    .map((paragraph) => wrap(paragraph.replaceAll('\n', ' ')))
    .join('\n\n')
}

/** A command on several lines, as a shell takes it: broken between its words, never within quotes. */
function wrapCommand(command: string, width: number): string {
  const words = command.match(/(?:"[^"]*"|'[^']*'|\S)+/g) ?? []
  const lines: string[] = []
  let line = ''
  for (const word of words) {
    if (line !== '' && line.length + word.length + 3 > width) {
      lines.push(`${line} \\`)
      line = `    ${word}`
    } else line += line === '' ? word : ` ${word}`
  }
  return [...lines, line].join('\n')
}
