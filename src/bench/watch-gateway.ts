/** What the embedded gateway's own processes use while a level is measured: cores and memory. The warm-up and the drain are left out. */
import { now } from '../system/clock.ts'
import { readProcessTree } from '../system/process-tree.ts'

const EVERY_MS = 200

export interface GatewayUse {
  /** Busy cores, over all of its processes. */
  cpuCores: number
  /** The most that was resident at once. */
  rssBytes: number
}

export interface GatewayWatch {
  /** The measurement has begun and lasts this long; called again it does nothing. */
  measuring(durationMs: number): void
  /** Null where it is not known. */
  end(): GatewayUse | null
}

export function watchGateway(pid: number | undefined): GatewayWatch {
  const readings: { atUs: number; cpuMs: number; rssBytes: number }[] = []
  let timer: NodeJS.Timeout | undefined
  const read = (): void => {
    const reading = pid === undefined ? undefined : readProcessTree(pid)
    if (reading) readings.push({ atUs: now(), ...reading })
  }
  return {
    measuring(durationMs) {
      if (timer || pid === undefined) return
      const untilUs = now() + durationMs * 1_000
      read()
      timer = setInterval(() => {
        if (now() > untilUs) clearInterval(timer)
        else read()
      }, EVERY_MS)
    },
    end() {
      clearInterval(timer)
      const [first, last] = [readings[0], readings.at(-1)]
      if (!first || !last || last.atUs === first.atUs) return null
      return {
        cpuCores: Math.round(((last.cpuMs - first.cpuMs) * 1e6) / (last.atUs - first.atUs)) / 1e3,
        rssBytes: Math.max(...readings.map(({ rssBytes }) => rssBytes)),
      }
    },
  }
}
