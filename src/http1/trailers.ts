/** The lines behind the last chunk of a body: trailers, if any, and an empty line. */
import type { AnswerFault } from './faults.ts'
import { type Field, NO_FIELDS, readFields } from './fields.ts'
import { Section } from './section.ts'

export class TrailerReader {
  fields: readonly Field[] = NO_FIELDS
  readonly #section = new Section()

  begin(): void {
    this.fields = NO_FIELDS
    this.#section.begin(true)
  }

  /** Where they end in the piece that was read last. */
  get after(): number {
    return this.#section.after
  }

  /** Reads from `at` on; false where their end has not come. */
  read(piece: Buffer, at: number): boolean | AnswerFault {
    const section = this.#section
    const read = section.read(piece, at)
    if (read !== true || section.from === section.to) return read
    const fields = readFields(section.bytes.toString('latin1', section.from, section.to).split('\r\n'))
    if (fields instanceof Error) return fields
    this.fields = fields
    return true
  }
}
