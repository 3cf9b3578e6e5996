/** The sections of kt.yaml: which commands take part, and which keys each section has. */

/** A command with its flags, as oclif's manifest has it. */
export interface KnownCommand {
  id: string
  flags: Readonly<Record<string, object>>
}

/** The keys that stand in no section. */
export const TOP = ''

/** What is about the file itself, the terminal, or a run that is not made. */
const NO_KEYS = ['config', 'no-config', 'quiet', 'color', 'dry-run', 'show-request']

/** Whether a command reads kt.yaml: it can be told not to. */
export function readsConfig({ flags }: Pick<KnownCommand, 'flags'>): boolean {
  return 'no-config' in flags
}

/** The sections that a command reads, the nearest last. All planning commands share that of `kt plan`. */
export function sectionsOf(id: string): string[] {
  const own = id.replaceAll(':', ' ')
  if (id === 'bench') return [TOP, own]
  if (id === 'bench:sweep') return [TOP, 'bench', own]
  if (id === 'capacity:estimate') return ['plan']
  return id.startsWith('plan:') ? ['plan', own] : [own]
}

/** By the name of a section: the flags that are its keys. */
export function configKeys(commands: readonly KnownCommand[]): Map<string, string[]> {
  const keys = new Map<string, Set<string>>()
  for (const { id, flags } of commands.filter(readsConfig)) {
    for (const section of sectionsOf(id)) {
      const names = keys.get(section) ?? new Set()
      for (const flag of keysOf(id, flags)) names.add(flag)
      keys.set(section, names)
    }
  }
  return new Map([...keys].map(([section, names]) => [section, [...names]]))
}

/** `config` of a command of the gateway is the gateway's file. */
function keysOf(id: string, flags: KnownCommand['flags']): string[] {
  const names = Object.keys(flags).filter((flag) => !NO_KEYS.includes(flag))
  return hasOwnConfig(id) ? [...names, 'config'] : names
}

/** Commands whose --config is a gateway's file, and not kt.yaml. */
export function hasOwnConfig(id: string): boolean {
  return ['doctor', 'gateway:check', 'gateway:start'].includes(id)
}
