import { fishCompletion } from '../../cli/fish-completion.ts'
import { KtCommand, plainFlags } from '../../command.ts'

export default class AutocompleteFish extends KtCommand {
  static override summary = 'Print the completion of kt for fish.'
  static override description =
    'Put it where fish looks for it: kt autocomplete fish > ~/.config/fish/completions/kt.fish. It knows commands, ' +
    'flags, and the words of flags that take one of a few.'
  static override examples = ['<%= config.bin %> <%= command.id %>']

  static override baseFlags = plainFlags

  async run(): Promise<void> {
    await this.parse(AutocompleteFish)
    this.print(fishCompletion(this.config.commands, this.config.topics).trimEnd())
  }
}
