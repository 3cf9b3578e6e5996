/** `kt gateway check`: what a config comes to, without starting it, and what is wrong with it. */
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { gatewayConfigSchema } from '../../reference-gateway/config/config.ts'
import { UserError } from '../../src/errors.ts'
import { checkGatewayConfig, gatewayCheckJson, oneFile } from '../../src/gateway-cli/gateway-config.ts'
import { renderGatewayCheck } from '../../src/output/gateway-tables.ts'
import { PAGE } from '../support/page.ts'
import { run } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())

const file = (yaml: string): string => dir.write('gateway.yaml', yaml)

const SECRETS = `
gateway:
  providers:
    - { name: openai, base_url: "http://127.0.0.1:41001/v1", api_key: sk-secret-1 }
    - { name: other, base_url: "http://127.0.0.1:41001/v1", api_key: "\${OTHER_KEY}" }
  auth: { keys: [{ key: sk-secret-2, tenant: a }] }
  admin_port: 41003
  admin: { token: sk-secret-3 }
  cache: { enabled: true, backend: redis, redis: { url: "redis://user:sk-secret-4@127.0.0.1:6379/0" } }
  events: { otlp: { endpoint: "http://127.0.0.1:4318/v1/traces", headers: { authorization: sk-secret-5 } } }
policies:
  - name: judge
    type: input_filter
    action: flag
    webhook: { url: "http://127.0.0.1:9/x", headers: { x-key: sk-secret-6 } }
`

describe('the effective config', () => {
  test('the defaults, in the words of the file; all marked as such', () => {
    const text = renderGatewayCheck(checkGatewayConfig(undefined), PAGE)
    expect(text).toMatch(/^the defaults: usable; 127\.0\.0\.1:41002 -> openai at http:\/\/127\.0\.0\.1:41001\/v1\n/)
    expect(text).toMatch(/^ {4}drain_timeout: 10s +# default$/m)
    const keys = text.split('\n').filter((line) => /^ +\S+: \S/.test(line))
    expect(keys.length).toBeGreaterThan(40)
    expect(keys.filter((line) => !line.endsWith('# default'))).toEqual([])
  })

  test('what the file gives is not marked', () => {
    const text = renderGatewayCheck(checkGatewayConfig(file('gateway: { limits: { max_body: 4MB } }')), PAGE)
    expect(text).toMatch(/^ {4}max_body: 4MB$/m)
    expect(text).toMatch(/^ {4}max_in_flight: 1024 +# default$/m)
  })

  test.each([
    ['the shipped example', fileURLToPath(new URL('../../reference-gateway/gateway.yaml', import.meta.url))],
    ['the defaults', undefined],
  ])('read back, it is the same config: %s', (_, path) => {
    const checked = checkGatewayConfig(path)
    const text = renderGatewayCheck(checked, PAGE)
    const yaml = text.slice(text.indexOf('\ngateway:'))
    expect(gatewayConfigSchema(process.env).parse(parse(yaml))).toEqual(checked.config)
    expect(gatewayConfigSchema(process.env).parse(structuredClone(configOf(checked)))).toEqual(checked.config)
  })

  test('no secret is shown, a reference is; what it lacks is said', () => {
    const checked = checkGatewayConfig(file(SECRETS))
    const text = renderGatewayCheck(checked, PAGE)
    for (const output of [text, JSON.stringify(gatewayCheckJson(checked))]) {
      expect(output).not.toContain('sk-secret')
      expect(output).toContain(['$', '{OTHER_KEY}'].join(''))
      expect(output).toContain('OTHER_KEY is not set')
    }
    expect(text).toContain('redis://user:***@127.0.0.1:6379/0')
  })
})

function configOf(checked: Parameters<typeof gatewayCheckJson>[0]): unknown {
  return (gatewayCheckJson(checked) as { config: unknown }).config
}

test.each([
  ['gateway: { limits: { max_bodi: 4MB } }', "gateway.limits: unknown key 'max_bodi' (did you mean 'max_body'?)"],
  ['gateway: { limits: { drain_timeout: 10 } }', "gateway.limits.drain_timeout: '10' is not a duration"],
  ['gateway: { port: 41003, admin_port: 41003 }', 'gateway.admin_port: 41003 is the port it serves on'],
  ['gateway: [', 'not valid YAML'],
])('%s is refused', (yaml, message) => {
  expect(() => checkGatewayConfig(file(yaml))).toThrow(UserError)
  expect(() => checkGatewayConfig(file(yaml))).toThrow(message)
})

test('one file, by argument or by flag', () => {
  expect(oneFile('a.yaml', undefined, 'kt x a.yaml')).toBe('a.yaml')
  expect(oneFile(undefined, 'a.yaml', 'kt x a.yaml')).toBe('a.yaml')
  expect(() => oneFile('a.yaml', 'b.yaml', 'kt x a.yaml')).toThrow('two config files were named')
})

test('the command: exit 0 with the answer, 2 with what is wrong', async () => {
  const good = await run(['gateway', 'check', file('gateway: { port: 0 }'), '--json'])
  expect(good.code).toBe(0)
  expect(JSON.parse(good.stdout)).toMatchObject({ schema: 'kt.gateway.check/1', config: { gateway: { port: 0 } } })
  const bad = await run(['gateway', 'check', '--config', file('gatway: {}')])
  expect(bad).toMatchObject({ code: 2, stdout: '' })
  expect(bad.stderr).toContain("unknown key 'gatway' (did you mean 'gateway'?)")
})
