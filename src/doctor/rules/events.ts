/**
 * Events, logs and accounting that the answer waits for. From outside it shows at the end of a stream: the last token
 * came in time, the end of the answer did not.
 */

import { binomialCdf } from '../../stats/distributions.ts'
import { median } from '../../stats/means.ts'
import { formatMs } from '../../units.ts'
import { addedByToken, addedToEnd, answered, noStamps } from '../probe/measured.ts'
import { ALARM_P, type DoctorRule, fine, found, notChecked } from '../rule.ts'

/** The end waits this much longer than the last token: more than a busy machine makes of one write. */
const HELD_US = 10_000
const FEWEST = 5

export const synchronousEvents: DoctorRule = {
  id: 'synchronous-events',
  needs: 'streams',
  title: 'The answer waits for events or logs',
  cost: 'every answer ends later by as long as the sink takes, and stalls when the sink does',
  fix: {
    how: 'Emit events after the answer, by a bounded queue that drops and counts what does not fit.',
    litellm: { litellm_settings: { set_verbose: false }, general_settings: { proxy_batch_write_at: 60 } },
  },
  config: {
    kt: () => fine('events leave by a bounded queue; no answer waits for a sink'),
    kong: ({ plugins }) => {
      const names = new Set(plugins.map(({ name }) => name))
      if (names.has('file-log')) {
        return found('warning', 'certain', 'plugin file-log: it writes to its file with blocking calls in the worker', {
          cost: 'every request of the worker waits while the disk does',
          how: 'Log over the network, in batches; or by nginx access logs.',
          patch: { plugins: [{ name: 'file-log', enabled: false }] },
        })
      }
      const single = plugins.filter(({ name, config }) => name === 'http-log' && batchSize(config) <= 1)
      if (single.length > 0) {
        return found(
          'info',
          'certain',
          'plugin http-log: one HTTP request for every request logged (queue.max_batch_size 1)',
          {
            cost: 'none to the answer, since it is sent afterwards; as many requests again to the sink',
            patch: {
              plugins: [{ name: 'http-log', config: { queue: { max_batch_size: 100, max_coalescing_delay: 1 } } }],
            },
          },
        )
      }
      return fine('no plugin here holds an answer for its log')
    },
    litellm: ({ config }) => {
      if (config.litellm_settings?.set_verbose === true) {
        return found('warning', 'likely', 'litellm_settings.set_verbose is true: every request is printed in full', {
          cost: 'prompts and answers are formatted and written in the one event loop that serves all requests',
        })
      }
      const every = config.general_settings?.proxy_batch_write_at
      if (config.general_settings?.database_url !== undefined && (every ?? 10) < 30) {
        return found(
          'info',
          'likely',
          `spend is written to the database every ${every ?? 'some 10'} s (proxy_batch_write_at)`,
          {
            cost: 'more writes than accounting needs; none in the way of an answer',
          },
        )
      }
      return fine('callbacks run after the answer; nothing is printed in full')
    },
  },
  report: 'the end of a stream is not set against its last token in a report',
  measure: ({ streams }) => {
    const held = answered(streams).flatMap((answer) => {
      const last = addedByToken(answer).at(-1)
      const end = addedToEnd(answer)
      return last === undefined || end === undefined ? [] : [end - last]
    })
    if (held.length < FEWEST) return notChecked(noStamps(streams))
    const us = Math.max(0, median(held))
    // Every answer waits for such a sink; by chance no more than half of them do.
    const late = held.filter((one) => one >= HELD_US).length
    const byChance = 1 - binomialCdf(late - 1, held.length, 0.5)
    const seen =
      `the end of a stream comes ${formatMs(us / 1_000)} ms later than its last token lets expect ` +
      `(median of ${held.length})`
    // What makes it wait is not known: no key of a config is sure to end it.
    return byChance <= ALARM_P ? found('warning', 'likely', seen, { patch: {} }) : fine(seen)
  },
}

function batchSize(config: Record<string, unknown>): number {
  const queue = config.queue
  const size =
    typeof queue === 'object' && queue !== null && 'max_batch_size' in queue ? queue.max_batch_size : undefined
  return typeof size === 'number' ? size : 1
}
