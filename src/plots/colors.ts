/**
 * The colours of plots: custom properties of CSS, one set for light and one for dark. A plot names the property, so
 * that one drawing is right in both, on paper too. Lines that are compared differ in their dashes as well.
 */
import type { Color } from './plot.ts'

const LIGHT = {
  ink: '#1c2430',
  muted: '#566172',
  grid: '#e3e7ed',
  paper: '#ffffff',
  palette: ['#0a58ca', '#b4540a', '#c01f2e', '#7a3fb5', '#0f7a5a', '#8a6d00', '#a03074', '#4b5563'],
}
const DARK = {
  ink: '#e8ecf2',
  muted: '#a3adbb',
  grid: '#333c4a',
  paper: '#12161c',
  palette: ['#6ea8fe', '#f0a45d', '#ff7b86', '#c79bf2', '#56c9a4', '#dcc04a', '#ee86c0', '#b8c0cc'],
}

export const INK = 'var(--kt-ink)'
export const MUTED = 'var(--kt-muted)'
export const GRID = 'var(--kt-grid)'
export const PAPER = 'var(--kt-paper)'

export function colorOf(color: Color): string {
  return `var(--kt-${color})`
}

/** Each property with its colour. */
function propertiesOf({ palette, ...named }: typeof LIGHT): [name: string, color: string][] {
  const colors = Object.fromEntries(palette.map((color, index) => [String(index), color]))
  return Object.entries({ ...named, ...colors }).map(([name, color]) => [`--kt-${name}`, color])
}

function declared(theme: typeof LIGHT): string {
  return propertiesOf(theme)
    .map(([name, color]) => `${name}:${color}`)
    .join(';')
}

/** A drawing with the colours of light themselves, for what knows no custom properties. */
export function inLight(svg: string): string {
  return propertiesOf(LIGHT).reduce((text, [name, color]) => text.replaceAll(`var(${name})`, color), svg)
}

/** The properties for light, for dark where it is preferred, and for paper, at `selector`. */
export function colorRules(selector: string): string {
  return [
    `${selector}{${declared(LIGHT)};color-scheme:light dark}`,
    `@media (prefers-color-scheme:dark){${selector}{${declared(DARK)}}}`,
    `@media print{${selector}{${declared(LIGHT)};color-scheme:light}}`,
  ].join('\n')
}
