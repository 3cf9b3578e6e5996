// The most that a client in Node can ask in one thread: sockets of node:net, one write of the same bytes a request, and
// every read taken for a whole answer. Nothing is parsed, timed or recorded. What kt reaches is to be read beside it.
import { connect } from 'node:net'

const [port, inFlight, seconds, text] = process.argv.slice(2)
const request = Buffer.from(text, 'latin1')
const buffer = Buffer.alloc(65_536)
let answered = 0
for (let i = 0; i < Number(inFlight); i++) {
  const socket = connect({ port: Number(port), host: '127.0.0.1', onread: { buffer, callback } })
  socket.setNoDelay(true).on('connect', () => socket.write(request))
  function callback() {
    answered++
    socket.write(request)
    return true
  }
}
const startMs = performance.now()
setTimeout(() => {
  const perSecond = (answered * 1_000) / (performance.now() - startMs)
  process.stdout.write(JSON.stringify({ answered, perSecond }), () => process.exit())
}, Number(seconds) * 1_000)
