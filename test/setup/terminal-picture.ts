// Draws what a command prints on a terminal as SVG (docs/start.svg): node test/setup/terminal-picture.ts TITLE < output
// The output is text with colours, as `script -qc 'kt bench' /dev/null` keeps it.
import { readFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'

const COLORS: Readonly<Record<string, string>> = {
  31: '#ff7b72',
  32: '#7ee787',
  33: '#e3b341',
  36: '#79c0ff',
  90: '#8b949e',
}
const [CHAR, LINE, PAD, BAR] = [7.8, 18, 16, 34]

interface Style {
  color?: string | undefined
  bold: boolean
  dim: boolean
}

/** What begins a sequence that steers the terminal. */
const START = '\u001B['

/** The pieces of a line, each with its style; the style of its end goes on in the next line. */
function pieces(line: string, style: Style): { text: string; style: Style }[] {
  return line.split(START).flatMap((part, index) => {
    const [, codes, letter = '', rest = ''] = /^([\d;]*)([A-Za-z])([\s\S]*)$/.exec(part) ?? []
    const text = index === 0 ? part : rest
    if (index > 0 && letter === 'm') for (const code of (codes ?? '').split(';')) apply(style, code)
    return text === '' ? [] : [{ text, style: { ...style } }]
  })
}

function apply(style: Style, code: string): void {
  if (code === '0' || code === '') Object.assign(style, { color: undefined, bold: false, dim: false })
  else if (code === '1') style.bold = true
  else if (code === '2') style.dim = true
  else if (code === '22') Object.assign(style, { bold: false, dim: false })
  else if (code === '39') style.color = undefined
  else if (code in COLORS) style.color = COLORS[code]
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** What stays of a line that was drawn over. */
function settled(line: string): string {
  return line.replace(/\r$/, '').split('\r').at(-1) ?? ''
}

const title = process.argv[2] ?? ''
const lines = readFileSync(0, 'utf8').trimEnd().split('\n').map(settled)
const width = Math.max(...lines.map((line) => stripVTControlCharacters(line).length), title.length + 8)
const style: Style = { bold: false, dim: false }
const texts = lines.map((line, row) => {
  let column = 0
  const spans = pieces(line, style).map(({ text, style: { color, bold, dim } }) => {
    const x = PAD + column * CHAR
    column += text.length
    const more = `${color ? ` fill="${color}"` : ''}${bold ? ' font-weight="bold"' : ''}${dim ? ' opacity="0.65"' : ''}`
    return text.trim() === '' ? '' : `<tspan x="${x.toFixed(1)}"${more}>${escaped(text)}</tspan>`
  })
  return `<text y="${BAR + PAD + row * LINE}" xml:space="preserve">${spans.join('')}</text>`
})
const [w, h] = [Math.ceil(width * CHAR + 2 * PAD), BAR + lines.length * LINE + PAD]
process.stdout.write(
  `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" role="img">
<title>${escaped(title)}</title>
<rect width="${w}" height="${h}" rx="8" fill="#0d1117"/>
<text x="${PAD}" y="22" fill="#8b949e" font-family="monospace" font-size="13">$ ${escaped(title)}</text>
<g fill="#e6edf3" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13">
${texts.join('\n')}
</g>
</svg>
`,
)
