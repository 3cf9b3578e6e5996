/**
 * Builds a Dockerfile without a container: each stage is a folder, its absolute paths lie in that folder, and its RUN
 * steps are run there by a shell, with the Node that the base image has. What it does not know is an error.
 */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

interface Stage {
  base: string
  root: string
  workdir: string
  env: Record<string, string>
  user: string
  entrypoint: string[]
  cmd: string[]
  exposed: string[]
}

/** Returns the last stage. `path`: where the programs of the base image are. */
export async function buildInFolder(text: string, context: string, folder: string, path: string): Promise<Stage> {
  const stages = new Map<string, Stage>()
  let stage: Stage | undefined
  for (const [name, rest] of instructionsOf(text)) {
    if (name === 'FROM') {
      const [base = '', as, alias = `stage-${stages.size}`] = rest.split(/\s+/)
      if (as !== undefined && as.toUpperCase() !== 'AS') throw new Error(`FROM ${rest}`)
      stage = {
        base,
        root: join(folder, alias),
        workdir: '/',
        env: {},
        user: 'root',
        entrypoint: [],
        cmd: [],
        exposed: [],
      }
      mkdirSync(stage.root, { recursive: true })
      stages.set(alias, stage)
      continue
    }
    if (!stage) throw new Error(`${name} before FROM`)
    await step(stage, stages, context, path, name, rest)
  }
  if (!stage) throw new Error('no stage')
  return stage
}

function instructionsOf(text: string): [string, string][] {
  return text
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1).trim()])
}

async function step(
  stage: Stage,
  stages: ReadonlyMap<string, Stage>,
  context: string,
  path: string,
  name: string,
  rest: string,
): Promise<void> {
  const inStage = (target: string): string => join(stage.root, resolve(stage.workdir, target))
  switch (name) {
    case 'WORKDIR':
      stage.workdir = resolve(stage.workdir, rest)
      mkdirSync(inStage('.'), { recursive: true })
      return
    case 'ENV': {
      const [key = '', value = ''] = rest.split('=')
      stage.env[key] = value
      return
    }
    case 'COPY': {
      const words = rest.split(/\s+/)
      const from = /^--from=(.+)$/.exec(words[0] ?? '')?.[1]
      const source = from === undefined ? context : stages.get(from)?.root
      if (source === undefined) throw new Error(`COPY --from=${from}: no such stage`)
      const paths = from === undefined ? words : words.slice(1)
      const target = paths.pop() ?? '.'
      for (const given of paths) {
        const into = paths.length > 1 || target.endsWith('/') ? join(target, basename(given)) : target
        cpSync(join(source, given), inStage(into), { recursive: statSync(join(source, given)).isDirectory() })
      }
      return
    }
    case 'RUN': {
      // What npm must know of the network is in the environment of the machine.
      const env = { ...process.env, ...stage.env, PATH: path }
      await run('sh', ['-ec', rest], { cwd: inStage('.'), env, maxBuffer: 64e6 })
      return
    }
    case 'USER':
      stage.user = rest
      return
    case 'EXPOSE':
      stage.exposed.push(rest)
      return
    case 'ENTRYPOINT':
      stage.entrypoint = JSON.parse(rest)
      return
    case 'CMD':
      stage.cmd = JSON.parse(rest)
      return
    default:
      throw new Error(`${name} is not known here`)
  }
}
