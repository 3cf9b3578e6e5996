/** Tells its host's clock to whoever connects (`serve`), or measures the clock of one who does (`ask host:port`). */
import { connect, createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { measureOffset } from '../../../src/load/fleet/clock-offset.ts'
import { now } from '../../../src/system/clock.ts'

const [mode, host = '', port = ''] = process.argv.slice(2)

if (mode === 'serve') {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('data', () => {
      const receivedUs = now()
      socket.write(`${JSON.stringify({ receivedUs, sentUs: now() })}\n`)
    })
    socket.on('error', () => {})
  })
  server.listen(Number(port), host, () => process.stdout.write('listening\n'))
} else {
  const socket = connect({ host, port: Number(port), noDelay: true })
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
  const ask = async () => {
    socket.write('?')
    const { value } = await lines.next()
    return JSON.parse(String(value))
  }
  process.stdout.write(JSON.stringify(await measureOffset(ask, now)))
  socket.destroy()
}
