/**
 * What a thread reads, as it comes, for one that cannot wait for it later: whoever reads options needs rows now, and
 * libraries only read later. The thread's memory goes with it.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker, workerData } from 'node:worker_threads'

/** A group of rows is decoded as a whole, which may take a while. */
const LONGEST_MS = 120_000
/** Messages that wait to be taken: no more than that are in memory. */
const AHEAD = 2

/** Places in the numbers that both threads share: messages posted, and messages taken. */
const [POSTED, TAKEN] = [0, 1]

interface Shared {
  path: string
  counts: Int32Array
  port: MessagePort
}

/**
 * The messages of the thread whose entry is `name`, about the file at `path`; whoever takes them knows the last one.
 */
export function* messagesOf<Message>(name: string, path: string): Generator<Message> {
  const { port1: port, port2: theirs } = new MessageChannel()
  const counts = new Int32Array(new SharedArrayBuffer(8))
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const data: Shared = { path, counts, port: theirs }
  const thread = new Worker(new URL(`${name}.${extension}`, import.meta.url), {
    workerData: data,
    transferList: [theirs],
  })
  // While this thread waits it hears of nothing: a thread that fails says so on the port.
  thread.unref()
  try {
    for (let taken = 0; ; taken++) {
      if (Atomics.wait(counts, POSTED, taken, LONGEST_MS) === 'timed-out') throw new Error(`${name} is stuck`)
      yield receiveMessageOnPort(port)?.message as Message
      Atomics.add(counts, TAKEN, 1)
      Atomics.notify(counts, TAKEN)
    }
  } finally {
    port.close()
    thread.terminate()
  }
}

/** In the thread: the file it reads, and how it says something. */
export function inThread<Message>(): { path: string; post(message: Message): void } {
  const { path, counts, port } = workerData as Shared
  return {
    path,
    post(message) {
      const posted = Atomics.load(counts, POSTED)
      for (;;) {
        const taken = Atomics.load(counts, TAKEN)
        if (posted - taken < AHEAD) break
        Atomics.wait(counts, TAKEN, taken)
      }
      port.postMessage(message)
      Atomics.add(counts, POSTED, 1)
      Atomics.notify(counts, POSTED)
    },
  }
}
