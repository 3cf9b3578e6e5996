/** Verdicts as GitHub workflow commands: a line a check that did not pass, shown at the head of the run. Strings out. */
import type { Gate } from '../report/schema.ts'
import { checkSentence, verdictWord } from './check-line.ts'

export function renderAnnotations(title: string, gate: Gate): string[] {
  return gate.checks.flatMap((check) => {
    if (check.verdict === 'pass') return []
    const command = check.verdict === 'fail' ? 'error' : 'warning'
    const text = `${verdictWord(check.verdict)}  ${checkSentence(check)}`
    return [`::${command} title=${property(title)}::${data(text)}`]
  })
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
