// The parts that pages are built of, as HTML text: sections, facts, tables, figures, galleries. Every text that is not markup goes through `text`.
import { escapeMarkup } from '../markup.js';

/** Markup that is safe to put into a page. */
export type Html = string & { readonly markup: true };

/** Markup of our own; what it takes in is Html already, or a number, or nothing. */
export const html = (strings: TemplateStringsArray, ...values: readonly (Html | number | readonly Html[] | undefined)[]): Html =>
  strings.reduce((out, string, i) => { const value = values[i]; return `${out}${string}${value === undefined ? '' : typeof value === 'object' ? value.join('') : String(value)}`; }, '') as Html;
/** Any text, in an element or between double quotes. */
export const text = (content: string): Html => escapeMarkup(content) as Html;
/** Markup that another module has made and escaped. */
export const trusted = (markup: string): Html => markup as Html;
export const join = (parts: readonly Html[], between: string): Html => parts.join(between) as Html;
export const code = (content: string): Html => html`<code>${text(content)}</code>`;

export interface Section { readonly id: string; readonly title: string; readonly body: Html }
export const sectionHtml = ({ id, title, body }: Section): Html => html`<section id="${text(id)}" aria-labelledby="${text(id)}-title">\n<h2 id="${text(id)}-title">${text(title)}</h2>\n${body}</section>\n`;

/** Names with their values; what has none is left out. */
export const facts = (rows: readonly (readonly [name: string, value: Html | undefined])[]): Html =>
  html`<dl class="facts">${rows.flatMap(([name, value]) => (value === undefined ? [] : [html`<div><dt>${text(name)}</dt><dd>${value}</dd></div>`]))}</dl>\n`;

/** Something that is not there, and what to do. */
export const missing = (why: string): Html => html`<p class="missing">${text(why)}</p>\n`;

/** A vector drawing; as a picture, so that no name in it meets another's and nothing in it can run. */
export const figure = (svg: string, alt: string, caption?: string): Html =>
  html`<figure class="chart"><img src="data:image/svg+xml;base64,${trusted(Buffer.from(svg).toString('base64'))}" alt="${text(alt)}"${sizeOf(svg)}>${caption === undefined ? undefined : html`<figcaption>${text(caption)}</figcaption>`}</figure>\n`;

function sizeOf(svg: string): Html {
  const [, width, height] = /^<svg[^>]*\swidth="([\d.]+)"[^>]*\sheight="([\d.]+)"/.exec(svg) ?? [];
  return width === undefined || height === undefined ? html`` : html` width="${Math.round(Number(width))}" height="${Math.round(Number(height))}"`;
}

export interface Cell { readonly content: Html; /** What it is sorted by; absent: its text. */ readonly value?: number; readonly heads?: boolean }
export interface TableColumn { readonly title: string; readonly numeric?: boolean }
export const cell = (content: string): Cell => ({ content: text(content) });
/** Empty where there is no number. */
export const numberCell = (value: number | undefined, print: (value: number) => string): Cell =>
  (value === undefined || !Number.isFinite(value) ? { content: html`` } : { content: text(print(value)), value });

/** Sorted by its heads: the script makes buttons of them. The first cell of a row heads it. `last`: rows that stay at the end. */
export function table(caption: string, columns: readonly TableColumn[], rows: readonly (readonly Cell[])[], last: readonly (readonly Cell[])[] = []): Html {
  const numeric = (i: number): Html => (columns[i]?.numeric === true ? html` class="number"` : html``);
  const row = (cells: readonly Cell[]): Html => html`<tr>${cells.map((c, i) => (i === 0
    ? html`<th scope="row">${c.content}</th>`
    : html`<td${numeric(i)}${c.value === undefined ? undefined : html` data-value="${c.value}"`}>${c.content}</td>`))}</tr>\n`;
  return scrolled(caption, html`<table class="results">\n<caption>${text(caption)}</caption>\n<thead><tr>${columns.map((c, i) => html`<th scope="col"${numeric(i)}>${text(c.title)}</th>`)}</tr></thead>\n<tbody>\n${rows.map(row)}</tbody>\n${last.length === 0 ? undefined : html`<tfoot>\n${last.map(row)}</tfoot>\n`}</table>\n`);
}

/** What may be wider than the page: it scrolls by itself, by the keyboard too. */
export const scrolled = (label: string, content: Html): Html => html`<div class="scroll" role="region" aria-label="${text(label)}" tabindex="0">\n${content}</div>\n`;

export const folded = (summary: string, content: Html): Html => html`<details><summary>${text(summary)}</summary>\n${content}</details>\n`;
export const source = (content: string): Html => html`<pre class="source" tabindex="0">${text(content)}</pre>\n`;

/** A picture and what lies on it, each a data URI. */
export interface Layers { readonly base: string; readonly over?: string; readonly width: number; readonly height: number }
export interface Shot { readonly layers: Layers; /** For who cannot see it. */ readonly alt: string; readonly caption: Html }

/** Pictures that open in the viewer, at the place of a button. */
export const gallery = (label: string, shots: readonly Shot[]): Html =>
  html`<ul class="gallery" aria-label="${text(label)}">\n${shots.map(({ layers: { base, over, width, height }, alt, caption }) => html`<li><button type="button" class="shot" aria-haspopup="dialog"><span class="layers"><img src="${trusted(base)}" width="${width}" height="${height}" alt="${text(alt)}">${
    over === undefined ? undefined : html`<img class="over" src="${trusted(over)}" alt="">`}</span></button><p>${caption}</p></li>\n`)}</ul>\n`;
