/** What pages of a field trial are made of: Markdown whose lines keep to a width. */

const WIDTH = 118
export const NONE = '–'

export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(heads), `|${heads.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

/** Broken where a word would go over the width. */
export function paragraph(text: string, indent = '', first = indent): string {
  const lines = [first]
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last.length + word.length + 1 > WIDTH) lines.push(`${indent}${word}`)
    else lines[lines.length - 1] = /^\s*(?:- )?$/.test(last) ? last + word : `${last} ${word}`
  }
  return lines.join('\n')
}

export function listed(text: string, mark = '- '): string {
  return paragraph(text, ' '.repeat(mark.length), mark)
}

export function fenced(command: string): string {
  return `\`\`\`console\n${paragraph(`$ ${command}`, '    ', '').replaceAll(/\n/g, ' \\\n')}\n\`\`\``
}
