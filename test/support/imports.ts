/**
 * The import graph of the sources: static imports, literal dynamic imports, and imports of types only, told apart.
 * Paths are relative to the root of the project.
 */
import { globSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const STATIC = /^\s*(?:import|export)\b(?:[^'"`;]*?\bfrom)?\s*['"]([^'"]+)['"]/gm
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]/g

export interface Imports {
  /** Files of the project whose values it imports. */
  files: string[]
  /** Files of the project of which it imports types only. */
  types: string[]
  /** Everything else: packages and `node:` modules. */
  packages: string[]
  /** The part of `files` that is loaded only when a function runs. */
  lazy: string[]
}

/** The import graph over every TypeScript file under `folders`. */
export function importGraph(...folders: string[]): Map<string, Imports> {
  const files = folders.flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root }))
  return new Map(files.sort().map((file) => [file, importsOf(file, readFileSync(join(root, file), 'utf8'))]))
}

export function sourceWithoutTypes(file: string): string {
  return stripTypeScriptTypes(readFileSync(join(root, file), 'utf8'))
}

/** What `source` imports. An import that is gone once types are erased is one of types. */
export function importsOf(file: string, source: string): Imports {
  const erased = stripTypeScriptTypes(source)
  const eager = specifiersOf(erased, STATIC)
  const late = specifiersOf(erased, DYNAMIC)
  const values = [...eager, ...late]
  const inProject = (specifiers: string[]) =>
    specifiers.filter((name) => name.startsWith('.')).map((name) => normalize(join(dirname(file), name)))
  const files = inProject(values)
  const all = inProject([...specifiersOf(source, STATIC), ...specifiersOf(source, DYNAMIC)])
  return {
    files,
    types: [...new Set(all)].filter((target) => !files.includes(target)),
    packages: values.filter((name) => !name.startsWith('.')),
    lazy: inProject(late),
  }
}

function specifiersOf(source: string, pattern: RegExp): string[] {
  return [...source.matchAll(pattern)].map((match) => match[1] ?? '')
}

type Arrows = ReadonlyMap<string, readonly string[]>

/** `files`, and whatever they reach, at any depth. */
export function reachableFrom(arrows: Arrows, files: readonly string[]): Set<string> {
  const reached = new Set(files)
  // A set that grows while it is walked visits what was added.
  for (const file of reached) for (const next of arrows.get(file) ?? []) reached.add(next)
  return reached
}

/** A way from a node back to itself, or undefined. */
export function findCycle(arrows: Arrows): string[] | undefined {
  const done = new Set<string>()
  const visit = (node: string, path: string[]): string[] | undefined => {
    const at = path.indexOf(node)
    if (at >= 0) return [...path.slice(at), node]
    if (done.has(node)) return undefined
    for (const next of arrows.get(node) ?? []) {
      const cycle = visit(next, [...path, node])
      if (cycle) return cycle
    }
    done.add(node)
    return undefined
  }
  for (const node of arrows.keys()) {
    const cycle = visit(node, [])
    if (cycle) return cycle
  }
  return undefined
}
