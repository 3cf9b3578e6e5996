/**
 * The files that ship with kt, by name: an installed kt finds them wherever it is called. `guide` is the reference
 * gateway's config, `slo` is profiles/slo.yaml, `workloads/chat` is profiles/workloads/chat.yaml; `chat` is enough.
 */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { type Result, success } from '../errors.ts'
import { packaged } from './machine.ts'

const GUIDE = { name: 'guide', path: 'reference-gateway/gateway.yaml' } as const

interface Shipped {
  name: string
  /** From the folder of the package. */
  path: string
}

interface DescribedFile extends Shipped {
  about: string
}

function shippedFiles(): Shipped[] {
  const profiles = globSync('profiles/**/*.yaml', { cwd: packaged() }).map((path) => ({
    name: path.replace(/^profiles\//, '').replace(/\.yaml$/, ''),
    path,
  }))
  return [GUIDE, ...profiles.sort((a, b) => a.name.localeCompare(b.name))]
}

/** All of them, each with what it says of itself. */
export function describeShipped(): DescribedFile[] {
  return shippedFiles().map((file) => ({ ...file, about: aboutOf(readFileSync(packaged(file.path), 'utf8')) }))
}

/** The `about:` of a profile, else the first sentence of its comment. */
function aboutOf(text: string): string {
  const about = /^about: *(.+)$/m.exec(text)?.[1]?.replaceAll(/^'|'$/g, '')
  if (about !== undefined) return about
  const comment = /^(?:#.*\n?)+/.exec(text)?.[0].replaceAll(/^# ?/gm, '').replaceAll('\n', ' ') ?? ''
  return /^.*?[.:;](?= )/.exec(comment)?.[0].replace(/[.:;]$/, '') ?? comment
}

/** The file called `name`, whole or by its last part; or the names there are. */
export function findShipped(name: string): Result<Shipped, { names: string[] }> {
  const files = shippedFiles()
  const found = files.find((file) => file.name === name || file.path === name) ?? onlyOne(files, name)
  return found ? success(found) : { ok: false, names: files.map((file) => file.name) }
}

function onlyOne(files: readonly Shipped[], name: string): Shipped | undefined {
  const [first, ...others] = files.filter((file) => basename(file.name) === name)
  return others.length === 0 ? first : undefined
}

/** A file that a user names: one of their own, else one that ships with kt. */
export function fileNamed(given: string): string {
  if (existsSync(given)) return given
  const found = findShipped(given)
  return found.ok ? packaged(found.value.path) : given
}
