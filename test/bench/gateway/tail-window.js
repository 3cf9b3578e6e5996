// Two ways to search a stream for personal data, in turns: the automata, which say where a match may have begun, and
// a window at the end of the text as long as the longest match, in which the library's own matcher looks again with
// every token. CPU time a token, and by how many later tokens each token is held: npm run build
// && node test/bench/gateway/tail-window.js [tokens] [turns]
import { RE2JS } from 're2js'
import { PII_KINDS, piiRules } from '../../../dist/reference-gateway/policies/kinds/pii.js'
import { TextBuffer } from '../../../dist/reference-gateway/policies/pattern/text-buffer.js'
import { line, median, quantile } from './measure.js'

const [count = 1_000, turns = 9] = process.argv.slice(2).map(Number)
const WORDS = (
  'the of and to in a is that for it was on are as with his they at be this have from or one had by word but not ' +
  'what all were we when your can said there use an each which she do how their if will up other about out many ' +
  'then them'
).split(' ')
const tokens = Array.from({ length: count }, (_, i) =>
  i % 100 === 50
    ? ' ann.lee@example.org'
    : i % 100 === 75
      ? ' 4111 1111 1111 1111'
      : ` ${WORDS[(i * 7919) % WORDS.length]}`,
)
const rules = piiRules(PII_KINDS, undefined)

/** What is settled after each token; both find the same, so that only the hold and the time differ. */
const ways = {
  automata() {
    const text = new TextBuffer()
    const searches = rules.map((rule) => rule.search(4_096, true))
    let found = 0
    return {
      read(token) {
        text.append(token)
        let settled = text.end
        for (const search of searches) {
          search.feed(text)
          found += search.matches.length
          search.matches.length = 0
          settled = Math.min(settled, search.settledUpTo)
        }
        text.drop(Math.min(...searches.map((search) => search.needed)))
        return settled
      },
      found: () => found,
    }
  },
  'tail window'() {
    const patterns = rules.map((rule) => RE2JS.compile(rule.automaton.program.source))
    const longest = Math.max(...rules.map((rule) => rule.longest))
    let text = ''
    let end = 0
    let found = 0
    return {
      read(token) {
        text += token
        end += token.length
        // A match that begins before the window has ended within it.
        let settled = Math.max(0, text.length - longest)
        for (const pattern of patterns) {
          const matcher = pattern.matcher(text)
          while (matcher.find()) {
            if (matcher.start() >= settled) break
            found++
            settled = Math.max(settled, matcher.end())
          }
        }
        text = text.slice(settled)
        return end - text.length
      },
      found: () => found,
    }
  },
}

function run(way) {
  const { read, found } = ways[way]()
  const ends = []
  const heldFor = []
  let end = 0
  let waiting = 0
  const started = process.cpuUsage()
  const settled = tokens.map(read)
  const { user, system } = process.cpuUsage(started)
  for (const [i, token] of tokens.entries()) {
    end += token.length
    ends.push(end)
    for (; waiting <= i && ends[waiting] <= settled[i]; waiting++) heldFor.push(i - waiting)
  }
  return { us: (user + system) / tokens.length, heldFor, found: found() }
}

const seen = Object.fromEntries(Object.keys(ways).map((way) => [way, []]))
for (let turn = -3; turn < turns; turn++) {
  for (const way of Object.keys(ways)) {
    const one = run(way)
    if (turn >= 0) seen[way].push(one)
  }
}
for (const [way, all] of Object.entries(seen)) {
  const held = all[0].heldFor
  line(`${way}, CPU a token`, median(all.map(({ us }) => us)), 'us')
  line(`${way}, held for, P50`, quantile(held, 0.5), 'tokens')
  line(`${way}, held for, P99`, quantile(held, 0.99), 'tokens', {
    note: `${held.length} of ${count} left before the end`,
  })
}
