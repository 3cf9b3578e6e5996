/** What is said of words that are no command: the command that is near, or what the words before them take. */
import { isAddress, withoutCredentials } from '../parse/addresses.ts'
import { didYouMean } from '../parse/near.ts'

/** A command as oclif knows it; its id is 'bench:compare'. */
export interface KnownCommand {
  id: string
  args?: object
}

export interface Refusal {
  message: string
  next: string
}

/** `typed` are the words after `kt`, up to the first flag. */
export function explainUnknown(typed: readonly string[], commands: readonly KnownCommand[], bin: string): Refusal {
  const known = commands.map(({ id }) => id.split(':'))
  const near = nearestCommand(typed, commands)
  const parent = known
    .filter((words) => words.length < typed.length && words.every((word, i) => word === typed[i]))
    .sort((a, b) => b.length - a.length)[0]
  const shown = typed.map(withoutCredentials)
  if (!near && parent) {
    const name = parent.join(' ')
    return {
      message: `'${bin} ${name}' takes no argument '${shown.slice(parent.length).join(' ')}'`,
      next: `See '${bin} ${name} --help'.`,
    }
  }
  const message = `there is no command '${shown.join(' ')}'`
  if (near) return { message, next: `Did you mean '${bin} ${near}'?` }
  const [first = ''] = typed
  if (isAddress(first)) return { message, next: `Did you mean '${bin} bench ${withoutCredentials(first)}'?` }
  const siblings = known.filter((words) => words.length > 1 && words[0] === first).map((words) => words.join(' '))
  return {
    message,
    next:
      siblings.length > 0
        ? `There are ${siblings.map((name) => `'${bin} ${name}'`).join(', ')}.`
        : `See '${bin} --help' for the list of commands.`,
  }
}

/**
 * The command that the first of `typed` are mistyped for; what follows are its arguments. Compared word by word,
 * because 'bench stray' is as close to 'bench history' as a typo would be.
 */
export function nearestCommand(typed: readonly string[], commands: readonly KnownCommand[]): string | undefined {
  return commands
    .map(({ id, args = {} }) => ({ words: id.split(':'), takesArguments: Object.keys(args).length > 0 }))
    .filter(({ words, takesArguments }) =>
      takesArguments ? words.length <= typed.length : words.length === typed.length,
    )
    .sort((a, b) => b.words.length - a.words.length)
    .find(({ words }) => isMistyped(typed.slice(0, words.length), words))
    ?.words.join(' ')
}

function isMistyped(typed: readonly string[], words: readonly string[]): boolean {
  const near = words.every((word, i) => didYouMean(typed[i] ?? '', [word]) === word)
  return near && words.some((word, i) => word !== typed[i])
}
