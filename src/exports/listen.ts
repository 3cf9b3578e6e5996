/** Serves metrics for a Prometheus that scrapes them, in its own text format or as OpenMetrics, as it asks. */
import { failure, type Result, success, UserError } from '../errors.ts'
import { createServer } from '../system/node-http.ts'
import { listenAt, onFreePort } from '../system/serve.ts'

export interface ListenAddress {
  host: string
  port: number
}

interface MetricsServer {
  /** Of the page. */
  url: string
  close(): Promise<void>
}

const LOOPBACK = '127.0.0.1'
const PATH = '/metrics'
const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8'

/** `host:port`, `[::1]:port`, or `:port` and `port`, which are on loopback. */
export function parseListenAddress(given: string): Result<ListenAddress> {
  const [, host, number = ''] = /^(?:(\[[\da-f:]+\]|[\w.-]+)?:)?(\d{1,5})$/i.exec(given) ?? []
  const port = Number(number)
  if (number === '' || port > 65_535) return failure(`'${given}' is not of the form HOST:PORT or :PORT`)
  return success({ host: host?.replace(/^\[|\]$/g, '') ?? LOOPBACK, port })
}

/** `render` is asked for every scrape. A port that cannot be had is a UserError. */
export async function serveMetrics(
  { host, port }: ListenAddress,
  render: (openMetrics: boolean) => string,
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url?.split('?')[0] !== PATH) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end(`the metrics are at ${PATH}\n`)
      return
    }
    const openMetrics = request.headers.accept?.includes('application/openmetrics-text') === true
    response.writeHead(200, { 'content-type': openMetrics ? OPEN_METRICS : PROMETHEUS }).end(render(openMetrics))
  })
  const { authority } = await onFreePort(port, false, () => listenAt(server, port, host)).catch((error) => {
    // The advice names --port, which is not the flag here.
    if (error instanceof UserError)
      throw new UserError(`--metrics-listen: ${error.message}`, 'Choose another HOST:PORT.')
    throw error
  })
  return {
    url: `http://${authority}${PATH}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
