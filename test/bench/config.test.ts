// What a report keeps of the command line: all of it but what is secret, by whichever name a flag was given.
import { expect, test } from 'vitest'
import { commandLine } from '../../src/bench/config.ts'

const SECRET = 'Authorization: Bearer sk-secret'
const ADDRESS = 'http://127.0.0.1:1/v1?key=sk-secret'

test.each([
  [['--header', SECRET], '--header ***'],
  [[`--header=${SECRET}`], '--header=***'],
  [['--headers', SECRET], '--headers ***'],
  [['-H', SECRET], '-H ***'],
  [[`-H${SECRET}`], '-H***'],
  [['-qH', SECRET], '-qH ***'],
  [['--api-key', 'sk-secret'], '--api-key ***'],
  [['--api-key=sk-secret'], '--api-key=***'],
  [[ADDRESS], "'http://127.0.0.1:1/v1?***'"],
  [['127.0.0.1:1/v1?key=sk-secret'], "'127.0.0.1:1/v1?***'"],
  [['--url', ADDRESS], "--url 'http://127.0.0.1:1/v1?***'"],
  [[`--url=HTTP${ADDRESS.slice(4)}`], "'--url=HTTP://127.0.0.1:1/v1?***'"],
  [[`--baseline-url=${ADDRESS}`], "'--baseline-url=http://127.0.0.1:1/v1?***'"],
  [[`--base-url=${ADDRESS}`], "'--base-url=http://127.0.0.1:1/v1?***'"],
  [['-u', ADDRESS], "-u 'http://127.0.0.1:1/v1?***'"],
  [[`-u${ADDRESS}`], "'-uhttp://127.0.0.1:1/v1?***'"],
])('%j', (words, shown) => {
  expect(commandLine(['bench', ...words, '-n', '5'])).toBe(`bench ${shown} -n 5`)
})

test('all else stays, quoted for a shell', () => {
  expect(commandLine(['kt', 'bench', '-q', '--prompt', "What's that?", '--header'])).toBe(
    "kt bench -q --prompt 'What'\\''s that?' --header",
  )
})
