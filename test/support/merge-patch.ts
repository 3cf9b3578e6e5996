type Tree = Record<string, unknown>

/** A patch of kt doctor merged into a config, as its user does it: lists of what has a name are merged by the name. */
export function mergePatch(into: Tree, patch: Tree): Tree {
  const entries = Object.entries(patch).map(([key, value]) => {
    const old = into[key]
    if (isTree(old) && isTree(value)) return [key, mergePatch(old, value)]
    return [key, Array.isArray(old) && Array.isArray(value) ? mergeNamed(old, value) : value]
  })
  return { ...into, ...Object.fromEntries(entries) }
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function mergeNamed(old: readonly unknown[], patches: readonly unknown[]): unknown {
  if (![...old, ...patches].every((item) => isTree(item) && 'name' in item)) return patches
  const items = old.filter(isTree)
  for (const patch of patches.filter(isTree)) {
    const at = items.findIndex(({ name }) => name === patch.name)
    if (at < 0) items.push(patch)
    else items[at] = mergePatch(items[at] ?? {}, patch)
  }
  return items
}
