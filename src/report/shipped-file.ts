/** A file that ships with kt, as `kt profiles` hands it out. */
import { basename } from 'node:path'
import { UserError } from '../errors.ts'
import { readText } from '../parse/file.ts'
import { didYouMean } from '../parse/near.ts'
import { packaged } from '../system/machine.ts'
import { findShipped } from '../system/shipped.ts'

export function readShipped(name: string): { text: string; fileName: string } {
  const found = findShipped(name)
  if (found.ok) {
    const { path } = found.value
    return { text: readText(packaged(path), 'file that ships with kt'), fileName: basename(path) }
  }
  const near = didYouMean(name, [...found.names, ...found.names.map((known) => basename(known))])
  throw new UserError(
    `there is no file '${name}' among those that ship with kt${near ? ` (did you mean '${near}'?)` : ''}`,
    "'kt profiles list' lists them.",
  )
}
