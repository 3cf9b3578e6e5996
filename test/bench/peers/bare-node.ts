import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { bodyOf, output, PATH, parseOutput, type Tool } from './tool.ts'

const outputSchema = z.object({ answered: z.number(), perSecond: z.number() })

/** No tool but a bound: sockets of node:net in a closed loop, without reading what they are answered. */
export const bareNode: Tool = {
  name: 'bare node:net',
  version: process.version,
  script: fileURLToPath(new URL('bare-node.js', import.meta.url)),
  async run(program, load, folder) {
    const { port } = new URL(load.origin)
    const body = bodyOf(load)
    const head = `POST ${PATH} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\n`
    const request = `${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    const options = [port, String(load.inFlight), String(load.seconds), request]
    const said = parseOutput(outputSchema, await output(program, options, { seconds: load.seconds, cwd: folder }))
    return { answered: said.answered, failed: 0, perSecond: said.perSecond }
  },
}
