/**
 * Completion for fish, made of the manifest as oclif's plugin makes it for bash, zsh and PowerShell: commands, flags,
 * and the words of flags that take one of a few.
 */
import type { Command } from '@oclif/core/command'

interface Topic {
  name: string
  description?: string | undefined
}

type Commands = readonly Pick<Command.Loadable, 'id' | 'summary' | 'description' | 'hidden' | 'args' | 'flags'>[]

/**
 * The words before the first flag are a command and its arguments: the longest that is a command is the one. Flags of
 * one that is longer do not belong to it.
 */
const FUNCTIONS = `function __kt_words
    for word in (commandline -opc)[2..-1]
        string match -q -- '-*' $word; and break
        echo $word
    end
end

function __kt_command
    set -l name
    set -l found
    for word in (__kt_words)
        set -a name $word
        contains -- "$name" $__kt_commands; and set found "$name"
    end
    echo $found
end

function __kt_is
    test "$(__kt_command)" = "$argv"
end

function __kt_follows
    test "$(__kt_words | string join ' ')" = "$argv"
end
`

export function fishCompletion(commands: Commands, topics: readonly Topic[]): string {
  const known = commands
    .filter(({ hidden }) => !hidden)
    .map((command) => ({ ...command, words: command.id.split(':') }))
    .sort((a, b) => a.id.localeCompare(b.id))
  const names = known.map(({ words }) => quote(words.join(' ')))
  const lines = [
    '# Completion of kt for fish. Written by: kt autocomplete fish',
    `set -g __kt_commands ${names.join(' ')}`,
    '',
    FUNCTIONS,
    'complete -c kt -e',
    "complete -c kt -f -n '__kt_follows'",
    ...known.map(({ words, summary, description }) => offer(words, summary ?? description ?? '')),
    ...topics
      .filter(({ name }) => !known.some(({ id }) => id === name))
      .flatMap(({ name, description = '' }) => [
        offer(name.split(':'), description),
        `complete -c kt -n ${quote(`__kt_follows ${name.replaceAll(':', ' ')}`)} -f`,
      ]),
    ...known.flatMap(({ words, args, flags }) => {
      const condition = quote(`__kt_is ${words.join(' ')}`)
      // Arguments are files, most of them; fish offers those by itself.
      const noFiles = Object.keys(args).length === 0 ? [`complete -c kt -n ${condition} -f`] : []
      return [...noFiles, ...Object.entries(flags).flatMap(([name, flag]) => flagLines(name, flag, condition))]
    }),
  ]
  return `${lines.join('\n')}\n`
}

/** The last of the words, where those before it stand. */
function offer(words: readonly string[], about: string): string {
  const condition = quote(['__kt_follows', ...words.slice(0, -1)].join(' '))
  return `complete -c kt -n ${condition} -a ${quote(words.at(-1) ?? '')} -d ${quote(firstLine(about))}`
}

function flagLines(name: string, flag: Command.Flag.Cached, condition: string): string[] {
  if (flag.hidden) return []
  const letter = flag.char ? ` -s ${flag.char}` : ''
  const about = ` -d ${quote(firstLine(flag.summary ?? flag.description ?? ''))}`
  const line = `complete -c kt -n ${condition} -l ${name}${letter}`
  if (flag.type === 'boolean') {
    return [`${line}${about}`, ...(flag.allowNo ? [`complete -c kt -n ${condition} -l no-${name}${about}`] : [])]
  }
  return [`${line} -r${flag.options ? ` -a ${quote(flag.options.join(' '))}` : ''}${about}`]
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}

/** As fish reads it: in single quotes only these two stand for something else. */
function quote(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`
}
