/**
 * Whether a target that answers with stamps is the simulated provider itself: then what the stamps leave is the floor of the
 * instrument, and no gateway's overhead. Its control path answers only directly; a gateway passes on the API alone.
 */
import { request } from 'undici'

const WITHIN_MS = 1_000

export async function isProviderItself(origin: string): Promise<boolean> {
  try {
    const { statusCode, body } = await request(`${origin}/__kt/stats`, { signal: AbortSignal.timeout(WITHIN_MS) })
    if (statusCode !== 200) {
      await body.dump()
      return false
    }
    const stats = await body.json()
    return typeof stats === 'object' && stats !== null && 'connectionsOpened' in stats
  } catch {
    return false
  }
}
