/** What kt reads of the environment beside the flags. docs/environment.md lists all of it. */

/** The key for a target where none is given. */
export function apiKeyOf({ KT_API_KEY, OPENAI_API_KEY }: NodeJS.ProcessEnv): string | undefined {
  return KT_API_KEY ?? OPENAI_API_KEY
}
