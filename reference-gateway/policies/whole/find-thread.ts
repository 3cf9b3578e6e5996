/** The thread in which large texts are searched, so that nobody else waits for it. Made of the policies' settings. */
import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { compilePolicy } from '../compile.ts'
import type { PolicySettings } from '../config-file.ts'
import type { Finding } from '../policy.ts'
import { findInTexts } from './find.ts'

export interface FindTask {
  policy: string
  texts: readonly string[]
}

export type FindResult = { ready: true } | { findings: Finding[][] } | { error: string }

// Where cores are short, large texts wait and requests do not. On Linux a priority is the calling thread's own; elsewhere it
// would be the whole gateway's.
if (process.platform === 'linux') setPriority(0, 5)

const settings = workerData as PolicySettings[]
const policies = new Map(settings.filter(({ kind }) => kind !== 'webhook').map((one) => [one.name, compilePolicy(one)]))

parentPort?.on('message', ({ policy: name, texts }: FindTask) => {
  const policy = policies.get(name)
  // Whoever asked ends this thread when its time is over.
  const findings = policy && findInTexts(policy, texts)
  const result: FindResult = findings ? { findings } : { error: `no policy ${name}` }
  parentPort?.postMessage(result)
})
parentPort?.postMessage({ ready: true } satisfies FindResult)
