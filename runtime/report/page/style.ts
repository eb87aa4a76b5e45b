// How pages look: on a screen, light and dark, narrow and wide, and on paper. Colours only through the variables.
import { diffStyle } from '../diff/html.js';
import { RESULTS_STYLE } from '../results-table/html.js';

export const STYLE = `${RESULTS_STYLE}${diffStyle}
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1b1f24; --soft: #57606a; --rule: #d0d7de; --tint: #f6f8fa; --link: #0550ae; --focus: #0969da; --added: #116329; --removed: #a40e26; --changed: #7a4d00; }
@media (prefers-color-scheme: dark) { :root { --paper: #171717; --ink: #e6e9ed; --soft: #9aa4af; --rule: #363d46; --tint: #212225; --link: #79b8ff; --focus: #79b8ff; --added: #7ee787; --removed: #ff9a92; --changed: #e3b341; } .chart img { filter: invert(0.91) hue-rotate(180deg); } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; -webkit-text-size-adjust: 100%; }
.page { max-width: 96rem; margin: 0 auto; padding: 1.5rem clamp(1rem, 3vw, 3rem) 4rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: 0 3rem; }
header.top p { max-width: none; } header.top { grid-column: 1 / -1; border-bottom: 1px solid var(--rule); margin-bottom: 1.25rem; padding-bottom: 1rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1.02rem; margin: 1.6rem 0 .4rem; }
main > section:first-child > h2 { margin-top: 0; }
p { max-width: 75ch; margin: .5rem 0; } p, li, dd, dt, summary, h2, h3, h4 { overflow-wrap: anywhere; } #table > ul { columns: 20rem; font-size: .9rem; padding-left: 1.2rem; }
a { color: var(--link); text-underline-offset: .15em; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .875em; }
code { overflow-wrap: anywhere; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 2px; }
.soft, figcaption, .results-caption { color: var(--soft); }
.results-caption { font-size: .9rem; max-width: 75ch; }
.missing { border-left: 3px solid var(--changed); background: var(--tint); padding: .5rem .8rem; max-width: 75ch; }
.skip { position: absolute; left: -99em; } .skip:focus { left: 1rem; top: .5rem; background: var(--paper); padding: .3rem .6rem; z-index: 2; }
nav.contents ul { list-style: none; margin: 0 0 1.5rem; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; font-size: .95rem; }
nav.contents a { text-decoration: none; } nav.contents a:hover { text-decoration: underline; }
@media (min-width: 75rem) {
  .page { grid-template-columns: 11rem minmax(0, 1fr); }
  nav.contents { position: sticky; top: 1.5rem; align-self: start; max-height: calc(100vh - 3rem); overflow-y: auto; } nav.contents ul { flex-direction: column; }
}
.headline { display: flex; flex-wrap: wrap; gap: .75rem 2.5rem; margin: .9rem 0 0; }
.headline div { display: flex; flex-direction: column-reverse; } .headline dt { color: var(--soft); font-size: .85rem; } .headline dd { margin: 0; font-size: 1.35rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.facts { display: grid; grid-template-columns: minmax(0, 1fr); gap: .3rem; margin: .5rem 0 1rem; } .facts div { display: grid; grid-template-columns: minmax(8rem, 12rem) minmax(0, 1fr); gap: 0 1rem; }
.facts dt { color: var(--soft); } .facts dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 36rem) { .facts div { grid-template-columns: minmax(0, 1fr); margin-bottom: .3rem; } }
.scroll { overflow-x: auto; max-width: 100%; --shade: color-mix(in srgb, var(--ink) 22%, transparent); background: linear-gradient(to left, var(--paper) 2rem, transparent) right / 3rem 100% no-repeat local, linear-gradient(to left, var(--shade), transparent) right / .6rem 100% no-repeat scroll; }
table.results { font-size: .93rem; margin: .9rem 0; border-color: var(--ink); } table.results caption { padding-bottom: .45em; }
table.results th, table.results td { padding: .22em .7em; vertical-align: baseline; }
table.results { width: max-content; } table.results td:not(.number) { white-space: normal; max-width: 17em; font-size: .95em; }
table.results th[scope="row"] { position: sticky; left: 0; background: var(--paper); } table.results tr.baseline > th[scope="row"] { background: color-mix(in srgb, var(--ink) 6%, var(--paper)); }
@media (min-width: 48rem) { table.results caption { white-space: nowrap; } }
table.results tbody tr:hover > * { background: var(--tint); } table.results tfoot th, table.results tfoot td { border-top: 1px solid var(--rule); font-weight: 600; }
table.results th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; margin: 0; cursor: pointer; white-space: nowrap; }
table.results th button::after, table.results th.number button::before { content: ""; display: inline-block; width: .85em; text-align: center; } table.results th.number button::after { display: none; }
table.results th button:hover { text-decoration: underline; }
table.results th[aria-sort="ascending"] button::after, table.results th.number[aria-sort="ascending"] button::before { content: "▴"; } table.results th[aria-sort="descending"] button::after, table.results th.number[aria-sort="descending"] button::before { content: "▾"; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 33rem), 1fr)); gap: 1rem 1.5rem; align-items: start; }
figure { margin: .5rem 0; max-width: 100%; } .chart img { max-width: 100%; height: auto; display: block; } figcaption { font-size: .9rem; margin-top: .3rem; max-width: 75ch; }
details { margin: .75rem 0; } summary { cursor: pointer; color: var(--link); width: fit-content; }
.source { background: var(--tint); border: 1px solid var(--rule); border-radius: 4px; padding: .8rem 1rem; overflow-x: auto; line-height: 1.45; tab-size: 2; margin: .5rem 0; }
.gallery { list-style: none; margin: .6rem 0 1.2rem; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: 1rem; }
.gallery p { font-size: .85rem; line-height: 1.35; margin: .3rem 0 0; overflow-wrap: anywhere; }
.shot { display: block; width: 100%; padding: 0; border: 0; background: var(--tint); cursor: zoom-in; border-radius: 3px; }
.layers { position: relative; display: block; } .layers img { display: block; width: 100%; height: auto; border-radius: 3px; } .layers .over { position: absolute; inset: 0; height: 100%; }
.shot .layers { aspect-ratio: 1; display: grid; place-items: center; overflow: hidden; } .shot .layers img { grid-area: 1 / 1; position: static; width: 100%; height: 100%; object-fit: contain; }
.ends, .duos { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 0 2rem; } .ends h4 { margin: .3rem 0; font-weight: 600; font-size: .95rem; } .ends .gallery { grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .75rem; } .duos .gallery { grid-template-columns: 1fr 1fr; gap: .5rem; max-width: 30rem; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin: 0 .25em 0 .1em; vertical-align: -.05em; } .key.prediction { background: #ff9600; } .key.truth { border: 2px solid #00a0ff; }
dialog.viewer { width: min(96vw, 70rem); max-width: none; max-height: 96vh; border: 1px solid var(--rule); border-radius: 6px; padding: 1rem; background: var(--paper); color: var(--ink); } dialog.viewer::backdrop { background: rgb(0 0 0 / .75); }
.viewer .layers { width: fit-content; margin: 0 auto; } .viewer .layers img { width: auto; max-width: 100%; height: min(74vh, 60rem); object-fit: contain; } .viewer .layers .over { height: 100%; width: 100%; } .viewer.bare .over { visibility: hidden; }
.viewer .bar { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin-top: .75rem; } .viewer .caption { flex: 1 1 16rem; margin: 0; font-size: .95rem; }
.viewer .bar button, .pairs select { font: inherit; font-size: .95rem; color: inherit; background: var(--tint); border: 1px solid var(--rule); border-radius: 4px; padding: .25rem .7rem; cursor: pointer; }
.pairs { display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: center; margin: 1rem 0; } .pair { border-top: 2px solid var(--rule); margin-top: 2rem; } .pair[hidden] { display: none; }
.diff { font: inherit; max-width: none; color: inherit; } .diff code, .diff pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .86rem; } .diff h2, .diff h3, .diff h4 { font-size: 1rem; border-color: var(--rule); } .diff table { max-width: 100%; } .diff section { overflow-x: auto; }
.diff .added { color: var(--added); } .diff .removed { color: var(--removed); } .diff .changed { color: var(--changed); } .diff .moved { color: var(--link); }
footer { grid-column: 1 / -1; border-top: 1px solid var(--rule); margin-top: 3rem; padding-top: .75rem; color: var(--soft); font-size: .9rem; }
@media print {
  :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #444; --rule: #bbb; --tint: #fff; --link: #000; --added: #116329; --removed: #a40e26; --changed: #7a4d00; } .chart img { filter: none; }
  @page { margin: 16mm 14mm; }
  body { font-size: 10pt; } .page { display: block; max-width: none; padding: 0; } nav.contents, .pairs, .skip, dialog { display: none !important; }
  h2, h3, h4, h5, h3 + p, .pair p:has(+ .duos) { break-after: avoid; } tr, figure, .gallery li { break-inside: avoid; } .scroll { overflow: visible; } table.results { font-size: 8.5pt; } table.results th, table.results td { padding: .1em .4em; } table.results th button::after, table.results th.number button::before { display: none; } table.results { width: auto; } table.results caption { white-space: normal; } table.results th[scope="row"] { position: static; }
  .charts { grid-template-columns: 1fr 1fr; gap: 4mm; } .ends, .ends .gallery { grid-template-columns: repeat(auto-fill, minmax(2.4cm, 1fr)); gap: 0 4mm; } .ends { grid-template-columns: 1fr 1fr; } .ends > div, .duos .gallery { break-inside: avoid; } table.results td:not(.number) { min-width: 7em; } .source { white-space: pre-wrap; font-size: 8pt; border: 0; padding: 0; } a { text-decoration: none; }
  details:not([open]) { display: none; }
}
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
`;
