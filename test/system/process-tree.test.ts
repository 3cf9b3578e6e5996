import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { readProcessTree } from '../../src/system/process-tree.ts'

test.runIf(process.platform === 'linux')(
  'reads CPU and memory of a process with its children; nothing of one that ended',
  async () => {
    const busy = 'while (process.cpuUsage().user < 200_000); setInterval(() => {}, 1000); console.log("done")'
    const args = `['-e', ${JSON.stringify(busy)}]`
    const script = `require('node:child_process').spawn(process.execPath, ${args}, { stdio: 'inherit' })`
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'], detached: true })
    if (child.pid === undefined) throw new Error('not started')
    try {
      await once(child.stdout, 'data')
      const tree = readProcessTree(child.pid)
      // The child's 200 ms, whatever else the machine does, beside two starts of Node; two Nodes resident.
      expect(tree?.cpuMs).toBeGreaterThan(150)
      expect(tree?.rssBytes).toBeGreaterThan(40 * 1024 ** 2)
    } finally {
      const ended = once(child, 'exit')
      process.kill(-child.pid, 'SIGKILL')
      await ended
    }
    expect(readProcessTree(child.pid)).toBeUndefined()
  },
)
