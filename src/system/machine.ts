/** What the measuring machine is: two reports from different machines are not compared without saying so. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch, availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'

export interface Machine {
  cpuModel: string
  cores: number
  memoryBytes: number
  /** CPUs the control group may use; null when unlimited or unknown. */
  cgroupCpuQuota: number | null
  kernel: string
  node: string
  undici: string
  container: boolean
  loadAvgBefore: number
}

export function fingerprint(): Machine {
  return {
    cpuModel: cpus()[0]?.model.trim() || 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    cgroupCpuQuota: cgroupCpuQuota(),
    kernel: `${type()} ${release()} ${arch()}`,
    node: process.versions.node,
    undici: undiciVersion(),
    container:
      existsSync('/.dockerenv') ||
      existsSync('/run/.containerenv') ||
      process.env.KUBERNETES_SERVICE_HOST !== undefined,
    loadAvgBefore: loadavg()[0] ?? 0,
  }
}

/** cgroup v2: `max 100000` or `150000 100000`. */
function cgroupCpuQuota(): number | null {
  try {
    const [quota, period] = readFileSync('/sys/fs/cgroup/cpu.max', 'utf8').trim().split(' ')
    return quota === 'max' ? null : Number(quota) / Number(period)
  } catch {
    return null
  }
}

function undiciVersion(): string {
  return String((createRequire(import.meta.url)('undici/package.json') as { version: string }).version)
}
