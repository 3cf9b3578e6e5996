// Envoy with one worker thread, which passes every request on.
import { freePort } from '../../support/free-port.ts'
import { startProgram } from './program.js'

/** Passes requests on to `origin`, over connections that stay open. */
export async function startEnvoyBefore(program, origin) {
  const port = await freePort()
  const options = ['--config-yaml', JSON.stringify(configOf(port, new URL(origin))), '--concurrency', '1']
  const quiet = ['--disable-hot-restart', '--log-level', 'error']
  return startProgram(program, [...options, ...quiet], `http://127.0.0.1:${port}`, '/v1/models')
}

function configOf(port, { hostname, port: to }) {
  const manager = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'in',
    route_config: {
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'to', timeout: '0s' } }] },
      ],
    },
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  }
  const filter = { name: 'envoy.filters.network.http_connection_manager', typed_config: manager }
  const endpoint = { address: addressOf(hostname, Number(to)) }
  return {
    static_resources: {
      listeners: [{ address: addressOf('127.0.0.1', port), filter_chains: [{ filters: [filter] }] }],
      clusters: [
        {
          name: 'to',
          type: 'STATIC',
          load_assignment: { cluster_name: 'to', endpoints: [{ lb_endpoints: [{ endpoint }] }] },
        },
      ],
    },
  }
}

function addressOf(address, port) {
  return { socket_address: { address, port_value: port } }
}
