// Preloaded with `node --import`: writes the address of every module that a process loads, ESM and CommonJS, a line
// each, into the file that KT_TEST_MODULES names.
import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

registerHooks({
  load(url, context, nextLoad) {
    appendFileSync(process.env.KT_TEST_MODULES, `${url}\n`)
    return nextLoad(url, context)
  },
})
