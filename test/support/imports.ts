/**
 * The import graph of the sources as it is at run time: types erased (type-only imports do not count), static and literal
 * dynamic imports followed. Paths are relative to the root of the project.
 */
import { globSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const STATIC = /^\s*(?:import|export)\b(?:[^'"`;]*?\bfrom)?\s*['"]([^'"]+)['"]/gm
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]/g

export interface Imports {
  /** Files of the project, relative to its root. */
  files: string[]
  /** Everything else: packages and `node:` modules. */
  packages: string[]
  /** The part of `files` that is loaded only when a function runs. */
  lazy: string[]
}

/** The import graph over every TypeScript file under `folders`. */
export function importGraph(...folders: string[]): Map<string, Imports> {
  const files = folders.flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root }))
  return new Map(files.sort().map((file) => [file, importsOf(file, sourceWithoutTypes(file))]))
}

export function sourceWithoutTypes(file: string): string {
  return stripTypeScriptTypes(readFileSync(join(root, file), 'utf8'))
}

/** What `source`, without its types, imports. */
export function importsOf(file: string, source: string): Imports {
  const eager = [...source.matchAll(STATIC)].map((match) => match[1] ?? '')
  const late = [...source.matchAll(DYNAMIC)].map((match) => match[1] ?? '')
  const inProject = (specifiers: string[]) =>
    specifiers.filter((name) => name.startsWith('.')).map((name) => normalize(join(dirname(file), name)))
  return {
    files: inProject([...eager, ...late]),
    packages: [...eager, ...late].filter((name) => !name.startsWith('.')),
    lazy: inProject(late),
  }
}

/** `files`, and whatever they import, at any depth. */
export function reachableFrom(
  graph: ReadonlyMap<string, Pick<Imports, 'files'>>,
  files: readonly string[],
): Set<string> {
  const reached = new Set(files)
  // A set that grows while it is walked visits what was added.
  for (const file of reached) for (const next of graph.get(file)?.files ?? []) reached.add(next)
  return reached
}

/** A way from a file back to itself, or undefined. */
export function findCycle(graph: ReadonlyMap<string, Pick<Imports, 'files'>>): string[] | undefined {
  const done = new Set<string>()
  const visit = (file: string, path: string[]): string[] | undefined => {
    const at = path.indexOf(file)
    if (at >= 0) return [...path.slice(at), file]
    if (done.has(file)) return undefined
    for (const next of graph.get(file)?.files ?? []) {
      const cycle = visit(next, [...path, file])
      if (cycle) return cycle
    }
    done.add(file)
    return undefined
  }
  for (const file of graph.keys()) {
    const cycle = visit(file, [])
    if (cycle) return cycle
  }
  return undefined
}
