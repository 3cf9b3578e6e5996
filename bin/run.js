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

const VERSION = ['--version', '-v', '-V']
const HELP = ['--help', '-h']
/** The commands of the plugins in package.json. */
const PLUGIN_COMMANDS = ['help', 'version', 'autocomplete']

/** `kt bench help` is `kt bench --help`. */
function withHelpFlag(words) {
  const flag = words.findIndex((word) => word.startsWith('-'))
  const command = flag < 0 ? words : words.slice(0, flag)
  const asksHelp = command.length > 1 && command[0] !== 'help' && command.at(-1) === 'help'
  return asksHelp ? [...command.slice(0, -1), '--help'] : words
}

/** Flags of every command that take no value: other command lines take them before the command too. */
const GLOBAL = ['--color', '--no-color', '--quiet', '--no-config', '--json']

/** `kt --no-color bench` is `kt bench --no-color`. */
function withFlagsBehind(words) {
  const command = words.findIndex((word) => !word.startsWith('-'))
  const leading = words.slice(0, Math.max(0, command))
  if (leading.length === 0) return words
  const wrong = leading.find((word) => !GLOBAL.includes(word) && ![...VERSION, ...HELP].includes(word))
  if (wrong !== undefined) {
    // Behind '=' may be a key.
    const name = wrong.split('=')[0]
    process.stderr.write(`kt: ${name} stands before the command\n    Write it behind: kt COMMAND ${name}.\n`)
    process.exit(2)
  }
  const rest = words.slice(command)
  const end = rest.includes('--') ? rest.indexOf('--') : rest.length
  return [...rest.slice(0, end), ...leading, ...rest.slice(end)]
}

async function run() {
  const [{ readFileSync }, { platform, arch }, { fileURLToPath }] = await Promise.all([
    import('node:fs'),
    import('node:os'),
    import('node:url'),
  ])
  const root = new URL('../', import.meta.url)
  const pjson = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
  const args = withHelpFlag(withFlagsBehind(process.argv.slice(2)))
  const typed = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
  // Wherever it stands, and without the command that it stands behind.
  if (typed.some((word) => VERSION.includes(word))) {
    process.stdout.write(`${pjson.name}/${pjson.version} ${platform()}-${arch()} node-${process.version}\n`)
    return
  }
  if (args[0] === 'gateway' && args[1] === 'start') {
    const [{ setFlagsFromString }, { SMALL_HEAP }] = await Promise.all([
      import('node:v8'),
      import('../dist/src/system/helper-threads.js'),
    ])
    for (const flag of SMALL_HEAP) setFlagsFromString(flag)
  }
  // The plugins bring help, version and completion. Their files cost each start some milliseconds, so other commands
  // do without them.
  const [first] = args
  const needsPlugins =
    first === undefined || PLUGIN_COMMANDS.includes(first) || typed.some((word) => HELP.includes(word))
  const oclif = needsPlugins ? pjson.oclif : { ...pjson.oclif, plugins: [] }
  const [{ execute }, { settings }] = await Promise.all([import('@oclif/core/execute'), import('@oclif/core/settings')])
  // Else oclif looks for TypeScript, and warns that there is none, wherever NODE_ENV is test or development.
  settings.enableAutoTranspile = false
  await execute({ args, loadOptions: { root: fileURLToPath(root), pjson: { ...pjson, oclif } } })
}

run()
