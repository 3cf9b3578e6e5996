/** Keeps keys out of everything that is printed or stored. */

const HIDDEN = '***'

/** The command line with the values of --api-key and --header taken out, quoted where a shell would need it. */
export function commandLine(argv: readonly string[]): string {
  const shown: string[] = []
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? ''
    const [, flag, value] = /^(--api-key|--header)(=.*)?$/s.exec(word) ?? []
    if (flag === undefined) shown.push(hideQuery(word))
    else {
      shown.push(value === undefined ? flag : `${flag}=${HIDDEN}`)
      if (value === undefined && ++i < argv.length) shown.push(HIDDEN)
    }
  }
  return shown.map((word) => (/^[\w@%+=:,./*-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ')
}

/** Some targets echo the key in their error: it is taken out of every text that came from outside. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.filter((secret) => secret.length >= 4).reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text)
}

/** The query of a URL may hold a key. */
export function hideQuery(word: string): string {
  return /^(--(?:baseline-)?url=)?https?:\/\//.test(word) ? word.replace(/\?.*$/s, `?${HIDDEN}`) : word
}
