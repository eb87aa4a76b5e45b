// The page around its sections: head, contents, viewer, script. It may load nothing at all: its own policy forbids it.
import { createHash } from 'node:crypto';
import { html, sectionHtml, text, trusted, type Html, type Section } from './parts.js';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';

export interface Page {
  readonly title: string;
  readonly subtitle: Html;
  /** A few numbers that one looks for first. */
  readonly headline: readonly (readonly [name: string, value: string])[];
  readonly sections: readonly Section[];
  readonly footer: string;
}

/** Only pictures that are in the page, its one style and this very script. */
const policy = (): string => `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${createHash('sha256').update(SCRIPT).digest('base64')}'; base-uri 'none'; form-action 'none'`;

const VIEWER = html`<dialog class="viewer" aria-label="picture">
<div class="stage"></div>
<div class="bar"><p class="caption"></p><span class="count soft" aria-live="polite"></span>
<button type="button" data-do="previous" title="arrow left">Previous</button><button type="button" data-do="next" title="arrow right">Next</button><button type="button" data-do="overlay" aria-pressed="true" title="O">Overlay</button><button type="button" data-do="close" title="Escape">Close</button></div>
</dialog>
`;

export function pageHtml({ title, subtitle, headline, sections, footer }: Page): string {
  return html`<!doctype html>
<html lang="en" class="report">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${text(policy())}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${text(title)}</title>
<link rel="icon" href="data:,">
<style>${trusted(STYLE)}</style>
</head>
<body>
<a class="skip" href="#main">To the contents</a>
<div class="page">
<header class="top">
<h1>${text(title)}</h1>
<p class="soft">${subtitle}</p>
${headline.length === 0 ? undefined : html`<dl class="headline">${headline.map(([name, value]) => html`<div><dt>${text(name)}</dt><dd>${text(value)}</dd></div>`)}</dl>\n`}</header>
<nav class="contents" aria-label="Contents"><ul>${sections.map((s) => html`<li><a href="#${text(s.id)}">${text(s.title)}</a></li>`)}</ul></nav>
<main id="main">
${sections.map(sectionHtml)}</main>
<footer>${text(footer)}</footer>
</div>
${VIEWER}<script>${trusted(SCRIPT)}</script>
</body>
</html>
`;
}
