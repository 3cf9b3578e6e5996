// The example of docs/gateway/held-text.md is what happens.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { eventsOf, startFilter, token } from './support/filter.ts'

const page = readFileSync(new URL('../../../docs/gateway/held-text.md', import.meta.url), 'utf8')

/** The rows of the first table: the token, and the texts that leave with it. */
const rows = page
  .slice(page.indexOf('| token |'), page.indexOf('The end of the choice'))
  .split('\n')
  .slice(2)
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .split('|')
      .slice(1, 3)
      .map((cell) => [...cell.matchAll(/`([^`]*)`/g)].map(([, text]) => text)),
  )

test('each token lets the texts leave that its row says', () => {
  const output = { type: 'output_filter', parallel_group: 'checks' }
  const { filter, written } = startFilter(
    [
      { name: 'content-filter', ...output, action: 'block' },
      { name: 'pii-redaction', ...output, action: 'redact' },
    ],
    { on_flush: 'hold' },
  )
  const left = (): unknown[] =>
    eventsOf(Buffer.concat(written.splice(0)).toString()).map(
      (event) => (event as { choices: { delta: { content: string } }[] }).choices[0]?.delta.content,
    )
  expect(rows).toHaveLength(6)
  for (const [[sent = ''] = [], leaves] of rows) {
    filter.write(Buffer.from(token(sent)))
    expect([sent, left()]).toEqual([sent, leaves])
  }
  filter.end()
  expect(left()).toEqual([' cats'])
})
