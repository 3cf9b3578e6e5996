import { UserError } from '../../src/errors.ts'

/** The UserError that `run` throws. Anything else that it throws goes on. */
export function refusalOf(run: () => unknown): UserError {
  try {
    run()
  } catch (error) {
    return expected(error)
  }
  throw new Error('nothing was refused')
}

/** Of what takes its time. */
export async function laterRefusalOf(run: () => unknown): Promise<UserError> {
  try {
    await run()
  } catch (error) {
    return expected(error)
  }
  throw new Error('nothing was refused')
}

function expected(error: unknown): UserError {
  if (error instanceof UserError) return error
  throw error
}

/** All that a user is told where `run` refuses something; 'accepted' where it does not. */
export function messageOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    const { message, next } = expected(error)
    return `${message}\n${next}`
  }
  return 'accepted'
}
