/**
 * Node's own HTTP. An import statement asks node:http for all that it exports. WebSocket is among it, for which Node
 * loads a client that kt does not use, and that takes longer than everything that kt loads to serve.
 */
export const { Agent, createServer, get, request, STATUS_CODES } = process.getBuiltinModule('node:http')
