/**
 * Answers an unknown command with one line, the nearest command and exit 2. It runs before any command, so it loads
 * nothing else.
 */
import type { Hook } from '@oclif/core'
import { EXIT } from '../errors.ts'
import { didYouMean } from '../parse/explain.ts'

const hook: Hook.CommandNotFound = async function ({ id, config }) {
  process.stderr.write(`${explainUnknown(id.replaceAll(':', ' '), config.commandIDs, config.bin)}\n`)
  this.exit(EXIT.usage)
}

export default hook

/** `typed` is the text after `kt`, with its words separated by spaces; `ids` are oclif's, such as 'bench:compare'. */
export function explainUnknown(typed: string, ids: readonly string[], bin: string): string {
  const known = ids.map((id) => id.replaceAll(':', ' '))
  // Compared word by word, because 'bench stray' is as close to 'bench history' as a typo would be.
  const near = known.find(
    (command) =>
      command.split(' ').length === typed.split(' ').length &&
      command.split(' ').every((word, i) => didYouMean(typed.split(' ')[i] ?? '', [word]) === word),
  )
  const parent = known.filter((command) => typed.startsWith(`${command} `)).sort((a, b) => b.length - a.length)[0]
  if (!near && parent) {
    return (
      `${bin}: '${bin} ${parent}' takes no argument '${typed.slice(parent.length + 1)}'\n    See '${bin} ` +
      `${parent} --help'.`
    )
  }
  const next = near ? `Did you mean '${bin} ${near}'?` : `See '${bin} --help' for the list of commands.`
  return `${bin}: there is no command '${typed}'\n    ${next}`
}
