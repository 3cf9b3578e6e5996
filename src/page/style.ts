/** The style of a page: readable at every width, in light and dark, and on paper. */
import { colorRules } from '../plots/colors.ts'

const RULES = `
*{box-sizing:border-box}
body{margin:0;background:var(--kt-paper);color:var(--kt-ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}
main{max-width:1200px;margin:0 auto;padding:20px clamp(12px,3vw,36px) 48px}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .6rem;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2.4rem 0 .4rem;border-bottom:1px solid var(--kt-grid);padding-bottom:.3rem}
h3{font-size:1rem;margin:1.2rem 0 .2rem}
p{margin:.4rem 0;max-width:90ch;overflow-wrap:anywhere}
.sentence{font-size:1.1rem;border-left:4px solid var(--kt-0);padding:.3rem .8rem;margin:.6rem 0}
.sentence b{letter-spacing:.04em}
.pass{border-color:var(--kt-4)}.pass b{color:var(--kt-4)}
.fail{border-color:var(--kt-2)}.fail b{color:var(--kt-2)}
.inconclusive{border-color:var(--kt-5)}.inconclusive b{color:var(--kt-5)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:1rem 0;font-size:.9rem}
dt{color:var(--kt-muted)}dd{margin:0;overflow-wrap:anywhere}
nav{font-size:.9rem;margin:.6rem 0}nav a{margin-right:1rem;white-space:nowrap}
a{color:var(--kt-0)}
figure{margin:1rem 0 1.4rem}
figcaption{margin-bottom:.4rem}
figcaption p{color:var(--kt-muted);font-size:.92rem;margin:0}
.plot{width:100%;overflow:hidden}
.plot svg{display:block;max-width:100%;height:auto}
.drawn>.still{display:none}
details{margin-top:.3rem;font-size:.88rem}
summary{cursor:pointer;color:var(--kt-0);width:max-content;max-width:100%;padding:.2rem 0}
:focus-visible{outline:2px solid var(--kt-0);outline-offset:2px}
.scroll{overflow:auto;margin-bottom:.9rem;max-height:26rem;border:1px solid var(--kt-grid)}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.86rem}
caption{text-align:left;color:var(--kt-muted);padding:.3rem .5rem}
th,td{padding:.2rem .6rem;text-align:left;vertical-align:top;white-space:nowrap;border-bottom:1px solid var(--kt-grid)}
.number,[data-value]{text-align:right}
td.text,th.text{white-space:normal;min-width:8rem;max-width:60ch;overflow-wrap:anywhere}
thead th{position:sticky;top:0;background:var(--kt-paper);color:var(--kt-muted);font-weight:600}
footer{margin-top:3rem;color:var(--kt-muted);font-size:.85rem}
@media (max-width:560px){dl{grid-template-columns:1fr}dd{margin-bottom:.4rem}}
@media print{main{max-width:none;padding:0}nav{display:none}figure{break-inside:avoid}h2,h3{break-after:avoid}
.drawn>.still{display:block}.drawn>.live{display:none}.scroll{max-height:none;overflow:visible;border:0}}
`

export const STYLE = `${colorRules(':root')}${RULES}`
