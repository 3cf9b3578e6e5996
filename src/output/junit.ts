/**
 * Checks as JUnit XML, which every CI system reads: a test case for each check. A FAIL is a failure; INCONCLUSIVE is
 * an error, or skipped with --inconclusive warn.
 */
import type { Check, Gate } from '../report/schema.ts'
import { printable } from '../system/printable.ts'
import { askedOf, checkSentence } from './sentences.ts'

interface JunitSuite {
  /** 'kt bench compare', 'kt slo check'. */
  name: string
  gate: Gate
  inconclusive: 'fail' | 'warn'
  /** Shown by CI beside the suite: files, mode, category. */
  properties: Record<string, string>
  /** When the run was measured. */
  timestamp: string
}

export function renderJunit({ name, gate, inconclusive, properties, timestamp }: JunitSuite): string {
  const { checks } = gate
  const undecided = checks.filter((check) => check.verdict === 'inconclusive').length
  const counts = {
    tests: checks.length,
    failures: checks.filter((check) => check.verdict === 'fail').length,
    errors: inconclusive === 'fail' ? undecided : 0,
    skipped: inconclusive === 'warn' ? undecided : 0,
  }
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${attributes({ name, ...counts })}>`,
    `  <testsuite ${attributes({ name, ...counts, timestamp })}>`,
    '    <properties>',
    ...Object.entries(properties).map(([key, value]) => `      <property ${attributes({ name: key, value })}/>`),
    '    </properties>',
    ...checks.flatMap((check) => testCase(name, check, inconclusive)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}

function testCase(suite: string, check: Check, inconclusive: JunitSuite['inconclusive']): string[] {
  const { arm, verdict } = check
  const name = `${arm === undefined ? '' : `${arm}: `}${askedOf(check)}`
  const head = `<testcase ${attributes({ classname: suite, name, time: '0' })}>`
  const sentence = checkSentence(check)
  const body = {
    pass: `<system-out>${escaped(sentence)}</system-out>`,
    fail: `<failure ${attributes({ type: 'breach', message: sentence })}/>`,
    inconclusive:
      inconclusive === 'fail'
        ? `<error ${attributes({ type: 'inconclusive', message: sentence })}/>`
        : `<skipped ${attributes({ message: sentence })}/>`,
  }[verdict]
  return [`    ${head}`, `      ${body}`, '    </testcase>']
}

function attributes(values: Record<string, string | number>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${escaped(String(value))}"`)
    .join(' ')
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }

/** XML 1.0 allows no control characters, not even escaped. */
function escaped(text: string): string {
  return printable(text).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
