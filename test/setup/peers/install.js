// Fetches programs that kt is measured beside or in front of, pinned, into a folder of their own (.cache, or
// KT_TEST_CACHE): node test/setup/peers/install.js [name ...], all of them without a name.
import { CATALOGUE } from './catalogue.ts'
import { findPeer } from './find.ts'

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in CATALOGUE))
if (unknown.length > 0) {
  process.stderr.write(`unknown: ${unknown.join(', ')}; there are ${Object.keys(CATALOGUE).join(', ')}\n`)
  process.exit(2)
}
for (const name of asked.length > 0 ? asked : Object.keys(CATALOGUE)) {
  const found = await findPeer(name)
  const said = found.ok ? `${found.program.version}  ${found.program.command}` : `not installed: ${found.why}`
  process.stdout.write(`${name}  ${said}\n`)
  if (!found.ok) process.exitCode = 1
}
