/** Reads an event stream: takes bytes split anywhere, and returns the `data` of each complete event. */
import { StringDecoder } from 'node:string_decoder'

export class SseDataReader {
  readonly #decoder = new StringDecoder('utf8')
  #rest = ''
  #data: string[] = []

  /** The data of the events that `chunk` completes. */
  read(chunk: Buffer): string[] {
    const text = this.#rest + this.#decoder.write(chunk)
    const events: string[] = []
    let start = 0
    for (;;) {
      const end = text.indexOf('\n', start)
      if (end < 0) break
      const line = text.slice(start, text.charCodeAt(end - 1) === 13 && end > start ? end - 1 : end)
      start = end + 1
      if (line === '') {
        if (this.#data.length > 0) events.push(this.#data.join('\n'))
        this.#data = []
      } else if (line.startsWith('data:')) this.#data.push(line.slice(line.charCodeAt(5) === 32 ? 6 : 5))
    }
    this.#rest = text.slice(start)
    return events
  }
}
