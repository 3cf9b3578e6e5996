/**
 * Answers an unknown command with one line, the nearest command and exit 2. oclif's own plugin for this names some
 * command however far it is, asks questions, and ends with a code that kt's table does not have.
 */
import type { Hook } from '@oclif/core/hooks'
import { writeRefusal } from '../cli/refusals.ts'
import { explainUnknown } from '../cli/unknown-command.ts'
import { EXIT } from '../errors.ts'

const hook: Hook.CommandNotFound = async function ({ id, config }) {
  const typed = process.argv.slice(2)
  writeRefusal(explainUnknown(wordsOf(id, typed), config.commands, config.bin), EXIT.usage, typed.includes('--json'))
  this.exit(EXIT.usage)
}

export default hook

/** oclif joins what it takes for a command by colons, and a word may hold some of its own. */
function wordsOf(id: string, typed: readonly string[]): readonly string[] {
  const count = typed.findIndex((_, i) => typed.slice(0, i + 1).join(':') === id) + 1
  return count > 0 ? typed.slice(0, count) : id.split(':')
}
