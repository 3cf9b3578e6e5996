/** A file that ships with kt, as `kt profiles` hands it out. */
import { basename } from 'node:path'
import { z } from 'zod'
import { UserError } from '../errors.ts'
import { readText } from '../parse/file.ts'
import { didYouMean } from '../parse/near.ts'
import { packaged } from '../system/machine.ts'
import { findShipped } from '../system/shipped.ts'
import { formatName } from './fields.ts'

export const profilesSchema = z
  .strictObject({
    schema: formatName('kt.profiles/1'),
    files: z
      .array(
        z.strictObject({
          name: z.string().describe('name that flags take'),
          path: z.string().describe('where it lies, from the folder of the package'),
          about: z.string().describe('what it says of itself'),
        }),
      )
      .describe('all of them'),
  })
  .describe('kt profiles list: the files that ship with kt')

export type ProfilesJson = z.output<typeof profilesSchema>

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
