/** The members of a body that count for the key of a cache entry, in its bytes: no number is rounded. */
import { JsonWalk, NOWHERE } from '../../src/wire/json-walk.ts'

export class KeyMembers extends JsonWalk {
  /**
   * Names and values of the members that `names` holds, in the order of `names`. Undefined where the body is unusual
   * JSON, such as a key with escapes: then all of it counts.
   */
  of(body: Buffer, names: readonly string[]): Buffer[] | undefined {
    this.begin(body, 0, body.length)
    const values = new Map<string, Buffer>()
    for (let first = true; this.member(first); first = false) {
      const name = body.toString('utf8', this.keyStart, this.keyEnd)
      this.peek()
      const from = this.at
      if (!this.skip()) return undefined
      if (names.includes(name)) values.set(name, body.subarray(from, this.at))
    }
    if (!this.closed || this.peek() !== NOWHERE) return undefined
    return names.flatMap((name) => {
      const value = values.get(name)
      return value ? [Buffer.from(`${name}:`), value, LINE] : []
    })
  }
}

/** Ends a number; every other value says where it ends. */
const LINE = Buffer.from('\n')
