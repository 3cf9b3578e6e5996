/**
 * Answers an unknown command with one line, the nearest command and exit 2. It runs before any command, so it loads
 * little.
 */
import type { Hook } from '@oclif/core'
import { EXIT } from '../errors.ts'
import { asUrlFlag, withoutCredentials } from '../parse/addresses.ts'
import { didYouMean } from '../parse/explain.ts'
import { printableLines } from '../system/printable.ts'

const hook: Hook.CommandNotFound = async function ({ id, config }) {
  const takesUrl = (command: string): boolean => config.findCommand(command)?.flags.url !== undefined
  const words = wordsOf(id, process.argv.slice(2))
  process.stderr.write(`${printableLines(explainUnknown(words, config.commandIDs, config.bin, takesUrl))}\n`)
  this.exit(EXIT.usage)
}

export default hook

/** oclif joins what it takes for a command by colons, and a word may hold some of its own. */
function wordsOf(id: string, typed: readonly string[]): readonly string[] {
  const count = typed.findIndex((_, i) => typed.slice(0, i + 1).join(':') === id) + 1
  return count > 0 ? typed.slice(0, count) : id.split(':')
}

/** `typed` are the words after `kt`; `ids` are oclif's, such as 'bench:compare'; `takesUrl` says which have --url. */
export function explainUnknown(
  typed: readonly string[],
  ids: readonly string[],
  bin: string,
  takesUrl: (id: string) => boolean,
): string {
  const known = ids.map((id) => id.split(':'))
  // Compared word by word, because 'bench stray' is as close to 'bench history' as a typo would be.
  const near = known.find(
    (command) =>
      command.length === typed.length && command.every((word, i) => didYouMean(typed[i] ?? '', [word]) === word),
  )
  const parent = known
    .filter((command) => command.length < typed.length && command.every((word, i) => word === typed[i]))
    .sort((a, b) => b.length - a.length)[0]
  const shown = typed.map(withoutCredentials)
  if (!near && parent) {
    const url = takesUrl(parent.join(':')) ? asUrlFlag(typed[parent.length] ?? '') : undefined
    const next = url === undefined ? `See '${bin} ${parent.join(' ')} --help'.` : `Did you mean ${url}?`
    const argument = shown.slice(parent.length).join(' ')
    return `${bin}: '${bin} ${parent.join(' ')}' takes no argument '${argument}'\n    ${next}`
  }
  const url = asUrlFlag(typed[0] ?? '')
  const meant = near ? near.join(' ') : url && `bench ${url}`
  const next = meant ? `Did you mean '${bin} ${meant}'?` : `See '${bin} --help' for the list of commands.`
  return `${bin}: there is no command '${shown.join(' ')}'\n    ${next}`
}
