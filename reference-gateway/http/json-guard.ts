/**
 * Finds what JSON.parse accepts and a proxy must not pass on: keys that occur twice in one object (the gateway would
 * check the last, the provider might use the first), and nesting that overflows the stack of the code that walks it.
 * Tool arguments are JSON inside a string, and nest as well. One pass over the text; JSON.parse decides whether it is
 * JSON. It does not walk bytes as json-walk.ts does: a search for the next quote passes over a prompt of a megabyte
 * sixty times as fast as a loop over its bytes.
 */
import { unescapeJson } from '../../src/wire/json.ts'
import { MAX_DEPTH } from '../../src/wire/json-walk.ts'
import { closingQuote } from '../../src/wire/strings.ts'

/** The key of a tool call's arguments: a string that holds JSON. */
const ARGUMENTS = 'arguments'
/** Above this many keys in one object a Set is cheaper than a list. */
const LIST_KEYS = 12

const Char = {
  Quote: 34,
  Comma: 44,
  OpenList: 91,
  CloseList: 93,
  OpenObject: 123,
  CloseObject: 125,
} as const

export type JsonProblem = { kind: 'deep' } | { kind: 'duplicate'; key: string }

export function findJsonProblem(text: string): JsonProblem | undefined {
  return walk(text, true)
}

/** Whether `text` nests deeper than MAX_DEPTH, whatever its keys are. */
export function nestsTooDeep(text: string): boolean {
  return walk(text, false) !== undefined
}

/** `readsKeys`: looks for keys that occur twice, and into the value of `arguments`. */
function walk(text: string, readsKeys: boolean): JsonProblem | undefined {
  // One entry for each level: the keys seen in an object, undefined for a list.
  const levels: (KeySet | undefined)[] = []
  let keys: KeySet | undefined
  let keyComesNext = false
  let lastKey = ''
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case Char.Quote: {
        const end = closingQuote(text, i + 1)
        if (keyComesNext && keys) {
          const key = unescapeJson(text.slice(i + 1, end))
          if (!keys.add(key)) return { kind: 'duplicate', key }
          keyComesNext = false
          lastKey = key
        } else if (keys && lastKey === ARGUMENTS && nestsTooDeep(unescapeJson(text.slice(i + 1, end)))) {
          return { kind: 'deep' }
        }
        i = end
        break
      }
      case Char.OpenObject:
      case Char.OpenList:
        if (levels.length >= MAX_DEPTH) return { kind: 'deep' }
        levels.push(keys)
        keys = readsKeys && text.charCodeAt(i) === Char.OpenObject ? new KeySet() : undefined
        keyComesNext = keys !== undefined
        break
      case Char.CloseObject:
      case Char.CloseList:
        keys = levels.pop()
        keyComesNext = false
        break
      case Char.Comma:
        keyComesNext = keys !== undefined
        break
    }
  }
  return undefined
}

class KeySet {
  readonly #list: string[] = []
  #set: Set<string> | undefined

  /** Returns false where the key was there before. */
  add(key: string): boolean {
    if (this.#set) {
      if (this.#set.has(key)) return false
      this.#set.add(key)
      return true
    }
    if (this.#list.includes(key)) return false
    this.#list.push(key)
    if (this.#list.length > LIST_KEYS) this.#set = new Set(this.#list)
    return true
  }
}
