/**
 * What can be believed: a gateway's own figures in the wrong unit, and a measurement whose own error hides what it
 * looks for.
 */
import { genericServerTiming } from '../../overhead/adapters/server-timing.ts'
import { counted, formatMs } from '../../units.ts'
import { answered } from '../probe/measured.ts'
import { type DoctorRule, fine, found, notChecked, onlyMeasured } from '../rule.ts'

const UNIT = /Server-Timing looks like seconds/

export const serverTimingUnit: DoctorRule = {
  id: 'server-timing-seconds',
  title: 'Server-Timing in seconds instead of milliseconds',
  cost: 'browsers and tools read a thousandth of the time; dashboards show a gateway that adds nothing',
  fix: { how: 'Multiply by 1,000: nginx gives $upstream_response_time in seconds, and the header wants milliseconds.' },
  config: onlyMeasured('no key of a config shows it'),
  report: ({ signals, totals }) => {
    const [, count] = Object.entries(signals?.rejected ?? {}).find(([rule]) => UNIT.test(rule)) ?? []
    if (count !== undefined) return found('warning', 'likely', `${count} of ${totals.successful} answers`)
    return signals
      ? fine('no figure of the gateway looks like seconds')
      : notChecked('the gateway says nothing of itself')
  },
  measure: ({ whole }) => {
    const good = answered(whole)
    const said = good.flatMap((answer) => genericServerTiming.read(answer.headers, {}, answer.tookUs) ?? [])
    if (said.length === 0) return notChecked('no answer has a Server-Timing of a wait or of the gateway')
    const wrong = said.filter(({ unusable }) => unusable !== undefined && UNIT.test(unusable)).length
    return wrong > said.length / 2
      ? found('warning', 'likely', `${wrong} of ${said.length} answers: a thousandth of what they took`)
      : fine(`${counted(said.length, 'answer')} in milliseconds`)
  },
}

const BUDGET_SHARE = 0.25
const BUDGET_MS = 7

export const noisyInstrument: DoctorRule = {
  id: 'noisy-instrument',
  title: 'The run cannot see what it looks for',
  cost: 'what the gateway adds disappears in what the machine adds',
  fix: { how: 'Measure from a machine of its own, with nothing else running, or with a lower load.' },
  config: { kt: 'a config is no run', kong: 'a config is no run', litellm: 'a config is no run' },
  report: ({ client }) => {
    if (client.verdict !== 'ok')
      return found('info', 'certain', `the client was ${client.verdict}: ${client.why.join('; ')}`)
    const floor = client.floorMs
    if (!floor) return notChecked('the run has no floor: it takes a direct arm')
    const seen = `the floor, with no gateway in between, is ${formatMs(floor.p99)} ms at P99`
    return floor.p99 > BUDGET_MS * BUDGET_SHARE
      ? found('info', 'certain', `${seen}: over a quarter of a budget of ${BUDGET_MS} ms`)
      : fine(seen)
  },
  measure: "the examination's own figures are medians and counts",
}
