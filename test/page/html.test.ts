// Markup: what is not markup is text, wherever it stands.
import { expect, test } from 'vitest'
import { html, scriptJson } from '../../src/page/html.ts'

const HOSTILE = `</script><script>alert("1")</script>'&`

test('a value is text: in an element and in an attribute', () => {
  const { text } = html`<p title="${HOSTILE}">${HOSTILE}</p>`
  const escaped = '&lt;/script&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;'
  expect(text).toBe(`<p title="${escaped}">${escaped}</p>`)
})

test('markup within markup stays markup, one or several', () => {
  expect(html`<ul>${['a', '<b>'].map((item) => html`<li>${item}</li>`)}${html`<li>${3}</li>`}</ul>`.text).toBe(
    '<ul><li>a</li><li>&lt;b&gt;</li><li>3</li></ul>',
  )
})

test('JSON in a script element cannot end it, and reads back as it was', () => {
  const { text } = scriptJson({ name: HOSTILE })
  expect(text).not.toContain('<')
  expect(JSON.parse(text)).toEqual({ name: HOSTILE })
})
