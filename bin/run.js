#!/usr/bin/env node
// Checks the runtime, then starts oclif. Plain ESM that an older Node can parse; nothing heavy is loaded before the
// check.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `kt needs Node 22.19 or newer; this is ${process.version}. Install a current Node (24 LTS) and run kt again.\n`,
  )
  process.exit(2)
}

// Compiled modules are kept between runs (NODE_DISABLE_COMPILE_CACHE=1 turns it off): half of a short command is
// compiling.
import('node:module').then(({ enableCompileCache }) => enableCompileCache())

// A reader that goes away (`kt … | head -1`) is not an error. A full disk is, and is said in a sentence.
process.stdout.on('error', (error) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0)
  const reason = error.message.replace(/^\w+: (.*), \w+$/, '$1')
  process.stderr.write(
    `kt: cannot write to stdout: ${reason}\n    Send it to a file that can be written and has room.\n`,
  )
  process.exit(2)
})

// Nobody can be told that stderr cannot be written. The result goes to stdout all the same.
process.stderr.on('error', () => {})

import('@oclif/core').then(({ execute, settings }) => {
  // Else oclif looks for TypeScript, and warns that there is none, wherever NODE_ENV is test or development.
  settings.enableAutoTranspile = false
  return execute({ dir: import.meta.url })
})
