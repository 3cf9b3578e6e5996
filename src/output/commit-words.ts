/** Which commit a run measured, and its labels, in words for tables. */
import type { Run } from '../report/schema.ts'

type Marked = Pick<Run, 'commit' | 'labels'>

const SHOWN_SHA = 12

/** '0123456789ab (main, with changes)'; undefined where nothing told it. */
function commitWords({ commit }: Pick<Marked, 'commit'>): string | undefined {
  if (!commit) return undefined
  const notes = [...(commit.branch === undefined ? [] : [commit.branch]), ...(commit.dirty ? ['with changes'] : [])]
  const sha = commit.sha.slice(0, SHOWN_SHA)
  return notes.length > 0 ? `${sha} (${notes.join(', ')})` : sha
}

/** 'commit 0123456789ab (main); gateway=kong, region=eu'; empty where there is neither. */
export function markWords({ commit, labels = {} }: Marked): string {
  const sha = commitWords({ commit })
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`)
  return [...(sha === undefined ? [] : [`commit ${sha}`]), ...(pairs.length > 0 ? [pairs.join(', ')] : [])].join('; ')
}
