/** The thread in which large requests are translated. Run by translator.ts. */
import { setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { READY } from '../http/thread-pool.ts'
import type { ChatQuestion } from './protocol.ts'
import { getProtocol, type ProtocolName } from './protocols.ts'

export interface TranslationTask {
  protocol: ProtocolName
  question: ChatQuestion
}

// Where cores are short, large requests wait and the others do not (see body-worker.ts).
if (process.platform === 'linux') setPriority(0, 5)

parentPort?.on('message', ({ protocol, question }: TranslationTask) => {
  parentPort?.postMessage(getProtocol(protocol).translate?.(question))
})
parentPort?.postMessage(READY)
