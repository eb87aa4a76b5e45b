// What the file list and the manifest say, and what is wrong with them. No picture is opened here.
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { DEFAULT_SPLIT, splitGroups, splitText } from './split.js';
import { MANIFEST, parseManifest, type Manifest, type ManifestRow } from './manifest.js';
import { dataProblem } from './problems.js';
import { listFolders } from './folders.js';
import { SPLITS, type DataItem, type DataProblem, type Split, type SplitRule, type TaskFolder } from './types.js';

const EXTENSIONS = new Set(['.png', '.jpg', '.jpeg', '.tif', '.tiff', '.webp', '.gif', '.bmp']);

export interface SurveyedFile { readonly file: string; readonly role: 'image' | 'mask'; readonly used: boolean }
export interface Survey {
  readonly items: readonly DataItem[];
  /** Image and mask of every complete pair, whether or not it has a split. */
  readonly pairs: readonly { readonly image: string; readonly mask: string }[];
  /** Every picture found, used or not. */
  readonly files: readonly SurveyedFile[];
  readonly splitBy: string;
  readonly problems: readonly DataProblem[];
}

/** A complete pair before it has a split. */
interface Case { readonly task: string; readonly stem: string; readonly image: string; readonly mask: string; readonly group: string; readonly line?: number; readonly split?: string }
/** `plain`: those of them that are files, and no links. */
interface Listing { readonly images: readonly string[]; readonly masks: readonly string[]; readonly plain: ReadonlySet<string>; readonly there: boolean }

const exists = (path: string): Promise<boolean> => stat(path).then((s) => s.isFile(), () => false);
const stemOf = (file: string): string => parse(file).name;
const under = (folder: string, ...rest: readonly string[]): string => [...(folder === '.' ? [] : [folder]), ...rest].join('/');

/** Files under <folder>/images and <folder>/masks, sorted, relative to the root. */
async function listTask(root: string, folder: string, problems: DataProblem[]): Promise<Listing> {
  const plain = new Set<string>();
  const read = async (role: string): Promise<readonly string[] | undefined> => {
    const entries = await readdir(join(root, folder, role), { withFileTypes: true }).catch(() => undefined);
    if (!entries) return undefined;
    for (const e of entries) if (e.isFile()) plain.add(under(folder, role, e.name));
    const files = entries.filter((e) => (e.isFile() || e.isSymbolicLink()) && !e.name.startsWith('.') && e.name !== 'Thumbs.db').map((e) => e.name).sort();
    const other = files.filter((f) => !EXTENSIONS.has(parse(f).ext.toLowerCase()));
    if (other[0] !== undefined) problems.push(dataProblem('DATA021', under(folder, role), { count: other.length, first: other[0] }));
    return files.filter((f) => EXTENSIONS.has(parse(f).ext.toLowerCase())).map((f) => under(folder, role, f));
  };
  const [images, masks] = [await read('images'), await read('masks')];
  return { images: images ?? [], masks: masks ?? [], plain, there: images !== undefined || masks !== undefined };
}

/** Stem -> first file; says where a stem has several. */
function byStem(files: readonly string[], problems: DataProblem[]): Map<string, string> {
  const all = new Map<string, string[]>();
  for (const file of files) {
    const stem = stemOf(file), group = all.get(stem);
    if (group) group.push(file);
    else all.set(stem, [file]);
  }
  for (const group of all.values()) if (group.length > 1) problems.push(dataProblem('DATA005', group[0] as string, { files: group.map((f) => parse(f).base).join(' and ') }));
  return new Map([...all].map(([stem, group]) => [stem, group[0] as string]));
}

/** Pairs by equal stems. */
function pairFolder(task: TaskFolder, listing: Listing, problems: DataProblem[]): Case[] {
  const images = byStem(listing.images, problems), masks = byStem(listing.masks, problems);
  for (const [stem, file] of masks) if (!images.has(stem)) problems.push(dataProblem('DATA004', file, { expected: under(task.folder, 'images', `${stem}.*`) }));
  const out: Case[] = [];
  for (const [stem, image] of images) {
    const mask = masks.get(stem);
    if (mask === undefined) problems.push(dataProblem('DATA003', image, { expected: under(task.folder, 'masks', `${stem}.*`) }));
    else out.push({ task: task.code, stem, image, mask, group: stem });
  }
  return out;
}

/** Pairs as the manifest names them. */
async function pairManifest(root: string, task: TaskFolder, rows: readonly ManifestRow[], listing: Listing, problems: DataProblem[]): Promise<Case[]> {
  byStem(listing.images, problems);
  byStem(listing.masks, problems);
  const reported = new Set(problems.filter((p) => p.code === 'DATA005' && p.file.startsWith(under(task.folder, 'images'))).map((p) => stemOf(p.file)));
  const out: Case[] = [], seen = new Map<string, ManifestRow>();
  for (const row of rows) {
    const stem = stemOf(row.file), before = seen.get(stem);
    if (before && !reported.has(stem)) {
      problems.push(dataProblem('DATA005', row.file, { files: `lines ${before.line} and ${row.line} of manifest.csv` }));
      reported.add(stem);
    }
    seen.set(stem, row);
    const missing: string[] = [];
    for (const file of [row.file, row.mask]) if (!listing.plain.has(file) && !(await exists(join(root, file)))) missing.push(file);
    for (const file of missing) problems.push(dataProblem('DATA006', file, { line: row.line }));
    if (missing.length === 0 && !before) out.push({ task: task.code, stem, image: row.file, mask: row.mask, group: row.group ?? stem, line: row.line, split: row.split });
  }
  const named = new Set(rows.map((r) => r.file)), unlisted = listing.images.filter((f) => !named.has(f));
  if (rows.length > 0 && unlisted[0] !== undefined) problems.push(dataProblem('DATA017', task.folder, { count: unlisted.length, first: parse(unlisted[0]).base }));
  return out;
}

const isSplit = (text: string | undefined): text is Split => SPLITS.some((s) => s === text);

/** Gives each case of one task its split; says where a group has two, or a split no image. */
function assignSplits(task: string, cases: readonly Case[], rule: SplitRule | undefined, problems: DataProblem[]): DataItem[] {
  const sizes = new Map<string, number>();
  for (const c of cases) sizes.set(c.group, (sizes.get(c.group) ?? 0) + 1);
  const ruled = rule && cases.length > 0 ? splitGroups(task, sizes, rule) : undefined;
  const items: DataItem[] = [], splitsOf = new Map<string, { readonly first: string; readonly splits: Set<Split> }>();
  for (const c of cases) {
    const split = ruled ? ruled.get(c.group) : c.split;
    if (!isSplit(split)) { problems.push(dataProblem('DATA007', c.image, { line: c.line ?? 0, value: split ?? '' })); continue; }
    const of = splitsOf.get(c.group);
    if (of) of.splits.add(split);
    else splitsOf.set(c.group, { first: c.image, splits: new Set([split]) });
    items.push({ task, stem: c.stem, image: c.image, mask: c.mask, group: c.group, split });
  }
  for (const [group, { first, splits }] of splitsOf) {
    if (splits.size < 2) continue;
    problems.push(dataProblem('DATA008', first, { group, task, splits: [...splits].join(' and '), count: `its ${sizes.get(group) ?? 0} images` }));
  }
  if (items.length > 0) {
    for (const split of ['train', 'val'] as const) {
      const folder = parse(parse(items[0]?.image ?? '').dir).dir || '.';
      if (!items.some((i) => i.split === split)) problems.push(dataProblem('DATA018', folder, { task, split }));
    }
  }
  return items;
}

async function readManifest(root: string): Promise<Manifest | undefined> {
  const text = await readFile(join(root, MANIFEST), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : parseManifest(text);
}

/** A rule that is given is applied even where the manifest has a split column (the manifest's groups are kept). */
export async function survey(root: string, tasks: readonly TaskFolder[], rule?: SplitRule): Promise<Survey> {
  await listFolders(root);
  const manifest = await readManifest(root);
  const problems: DataProblem[] = [...(manifest?.problems ?? [])];
  const splitRule = rule ?? (manifest?.hasSplit === true ? undefined : DEFAULT_SPLIT);
  const items: DataItem[] = [], pairs: Case[] = [], files = new Map<string, SurveyedFile>();
  for (const task of tasks) {
    const listing = await listTask(root, task.folder, problems);
    const rows = manifest?.rows.filter((r) => r.task === task.folder || r.task === task.code);
    const empty = rows ? rows.length === 0 : listing.images.length === 0;
    if (empty && !listing.there && !(await stat(join(root, task.folder)).then(() => true, () => false))) problems.push(dataProblem('DATA001', task.folder, { task: task.code }));
    else if (empty) problems.push(dataProblem('DATA002', task.folder, { what: listing.images.length > 0 ? 'manifest.csv' : 'the folder' }));
    const cases = rows ? await pairManifest(root, task, rows, listing, problems) : pairFolder(task, listing, problems);
    const own = assignSplits(task.code, cases.sort((a, b) => (a.stem < b.stem ? -1 : a.stem > b.stem ? 1 : 0)), splitRule, problems);
    for (const item of own) items.push(item);
    for (const c of cases) pairs.push(c);
    for (const file of listing.images) files.set(file, { file, role: 'image', used: rows === undefined });
    for (const file of listing.masks) files.set(file, { file, role: 'mask', used: rows === undefined });
    for (const c of cases) { files.set(c.image, { file: c.image, role: 'image', used: true }); files.set(c.mask, { file: c.mask, role: 'mask', used: true }); }
  }
  return { items, pairs, files: [...files.values()], splitBy: splitRule ? splitText(splitRule) : MANIFEST, problems };
}
