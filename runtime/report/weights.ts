// What `tpsc weights` says: lists, differences, and the tale of an import or an export. No file is read here.
import type { WeightsDifference } from '../state/difference.js';
import type { ExportReport } from '../state/export.js';
import type { ImportReport } from '../state/import.js';
import type { WeightsListing } from '../state/listing.js';
import { shownName } from '../state/stored.js';
import { bytes, grouped, plural, significant } from './numbers.js';
import { renderTable } from './table.js';

export function renderListing(list: WeightsListing): string {
  const rows = list.tensors.map((t) => [shownName(t.name), t.dtype, `[${t.shape.join(', ')}]`, grouped(t.shape.reduce((a, b) => a * b, 1))]);
  const table = rows.length === 0 ? '' : renderTable([{ title: 'tensor' }, { title: 'dtype' }, { title: 'shape' }, { title: 'values', align: 'right' }], rows);
  const where = list.entry === null ? '' : `, state dict \`${shownName(list.entry)}\``;
  const aside = list.aside.length === 0 ? '' : `besides: ${list.aside.map(shownName).join(', ')}\n`;
  return `${table}\n${list.file} (${list.format}${where}): ${plural(list.tensors.length, 'tensor')}, ${plural(list.values, 'value')}, ${bytes(list.bytes)}\n${aside}`;
}

/**
 * Names in few words: `memory_attention.* (100), image_encoder.neck.* (12)`. A prefix stands for all names under it
 * only where none of `others` has it, too.
 */
function summariseNames(names: readonly string[], others: readonly string[]): readonly string[] {
  const taken = new Set(others.flatMap((name) => { const parts = name.split('.'); return parts.map((_, i) => parts.slice(0, i + 1).join('.')); }));
  const groups = new Map<string, number>();
  for (const name of names) {
    const parts = name.split('.');
    const depth = parts.findIndex((_, i) => !taken.has(parts.slice(0, i + 1).join('.')));
    const prefix = parts.slice(0, depth + 1).join('.');
    const group = depth < 0 || prefix === name ? name : `${prefix}.*`;
    groups.set(group, (groups.get(group) ?? 0) + 1);
  }
  return [...groups].map(([group, count]) => `${shownName(group)}${group.endsWith('.*') ? ` (${grouped(count)})` : ''}`);
}

const line = (what: string, names: readonly string[], others: readonly string[], noun = 'tensor'): string =>
  (names.length === 0 ? '' : `${plural(names.length, noun)} ${what}: ${summariseNames(names, others).join(', ')}\n`);

export function renderImport(report: ImportReport, next: string): string {
  const [keys, paths] = [report.imported.map((i) => i.key), report.imported.map((i) => i.path)];
  return `${plural(report.imported.length, 'tensor')} (${plural(report.values, 'value')}) of ${report.file}${report.map === undefined ? ' by their names' : ` by the map ${report.map}`} -> ${report.out}\n`
    + line(report.map === undefined ? 'of no name that the spec has, left out' : 'outside the map, left out', report.outside, keys, 'key')
    + line('more than the spec has, left out', report.dropped, keys, 'key')
    + line('of the spec that the file does not give', report.untouched, paths)
    + (report.stillNeeded.length === 0 ? '' : `  ${grouped(report.stillNeeded.length)} of them are frozen or name weights: a training asks for their values, too\n`)
    + `next: ${next}\n`;
}

export const renderExport = (report: ExportReport): string => `${plural(report.exported.length, 'tensor')} (${plural(report.values, 'value')}) of ${report.file} -> ${report.out}\n${line('without a key in the map, left out', report.leftOut, [])}`
  + (report.kept === 0 ? '' : `${plural(report.kept, 'tensor')} of the original kept\n`);

export function renderDifference(a: string, b: string, d: WeightsDifference): string {
  const only = (file: string, names: readonly string[]): string => names.map((name) => `only in ${file}: ${shownName(name)}\n`).join('');
  const table = d.different.length === 0 ? '' : renderTable(
    [{ title: 'different' }, { title: 'max |a-b|', align: 'right' }, { title: '||a-b||/||b||', align: 'right' }],
    d.different.map((t) => [shownName(t.name), significant(t.largest), significant(t.relative)]),
  );
  return only(a, d.onlyA) + only(b, d.onlyB) + d.unlike.map((t) => `${shownName(t.name)}: ${t.a} and ${t.b}\n`).join('') + table
    + `${plural(d.equal, 'tensor')} equal bit for bit, ${grouped(d.different.length)} different, ${grouped(d.unlike.length)} of another type, ${grouped(d.onlyA.length + d.onlyB.length)} in one file only\n`;
}
