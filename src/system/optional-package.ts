/**
 * Packages that few runs need and that are large: kt installs without them, and names the one that a run wants. They
 * are optional peer dependencies, so that a project that has one shares it.
 */
import { failure, type Result, success, UserError } from '../errors.ts'
import { peerVersions } from './machine.ts'

/** What `load` imports, which needs these packages. `purpose` is what they are for ('--emit kubernetes'). */
export async function loadOptional<T>(
  names: readonly string[],
  purpose: string,
  load: () => Promise<T>,
): Promise<Result<T>> {
  try {
    return success(await load())
  } catch (error) {
    if (!isMissing(error, names)) throw error
    const wanted = names.map(withVersion).join(' ')
    return failure(
      `${purpose} needs ${listed(names)}, which kt does not bring`,
      `Install beside kt: npm install ${wanted} (with --global where kt is global).`,
    )
  }
}

/** The same where nothing goes on without them. */
export async function requireOptional<T>(
  names: readonly string[],
  purpose: string,
  load: () => Promise<T>,
): Promise<T> {
  const loaded = await loadOptional(names, purpose, load)
  if (loaded.ok) return loaded.value
  throw new UserError(loaded.why, loaded.next ?? '')
}

function listed(names: readonly string[]): string {
  return new Intl.ListFormat('en').format(names)
}

/** The first version of the range, as a shell takes it. */
function withVersion(name: string): string {
  const version = /\d+\.\d+\.\d+/.exec(peerVersions[name] ?? '')?.[0]
  return version === undefined ? name : `${name}@${version}`
}

/** Node names the package that it did not find, and the file that wanted it. */
function isMissing(error: unknown, names: readonly string[]): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === 'ERR_MODULE_NOT_FOUND' &&
    names.some((name) => error.message.includes(`'${name}'`))
  )
}
