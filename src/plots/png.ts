/**
 * Drawings as PNG, for what shows no SVG. The package that turns one into the other is large and optional. It knows
 * no custom properties, so it gets the colours of light; and it brings no font, so it takes those of the machine.
 */
import { UserError } from '../errors.ts'
import { requireOptional } from '../system/optional-package.ts'
import { inLight, PAPER } from './colors.ts'
import { FONT } from './option.ts'

/** Pixels for each that the drawing has: sharp on today's screens, and on paper. */
const ZOOM = 2

/** A drawing that is empty unless a font is found for it. */
const WORD = `<svg xmlns="http://www.w3.org/2000/svg"><text y="15" font-family="${FONT}">kt</text></svg>`

/** What makes a PNG of an SVG. `loadSystemFonts` is false where a machine without fonts is tried. */
export async function pngMaker(loadSystemFonts = true): Promise<(svg: string) => Uint8Array> {
  const { Resvg } = await requireOptional(['@resvg/resvg-js'], '--png', () => import('@resvg/resvg-js'))
  const font = { loadSystemFonts }
  if (new Resvg(WORD, { font }).getBBox() === undefined) {
    throw new UserError(
      '--png finds no font on this machine, and a plot without words and numbers says nothing',
      'Install one (on Debian fonts-dejavu-core), or give --svg, which leaves fonts to what shows it.',
    )
  }
  const background = inLight(PAPER)
  return (svg) => new Resvg(inLight(svg), { font, background, fitTo: { mode: 'zoom', value: ZOOM } }).render().asPng()
}
