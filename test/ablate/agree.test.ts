// One folder, one study: rows and seeds may be added, what numbers depend on may not change.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { changedRows, settleStudy } from '../../runtime/ablate/agree.js';
import { readStudyFile, type StudyFile } from '../../runtime/ablate/layout.js';
import { temporaryFolder } from '../temporary.js';

const base: StudyFile = {
  format: 1, study: 'widths', spec: '/x/net.tps', specText: '', block: 'main', rows: [{ name: 'main', label: 'main', baseline: true, set: {}, program: 'aa', repeat: false }], seeds: [0, 1], tasks: ['SL', 'CP'],
  budget: { epochs: 3 }, data: 'd'.repeat(64), reading: {}, metric: { dice: 'image', miou: 'dataset-both', threshold: 0.5, checkpoint: 'last', at: 'network' }, engine: 'ort 1 cpu', threads: 1, weights: { identity: 'init' },
};
const folder = (): string => temporaryFolder('agree');

it('takes more rows and seeds, and says which rows became other networks', async () => {
  const root = folder();
  expect(await settleStudy(root, base)).toBeUndefined();
  const more: StudyFile = { ...base, seeds: [0, 1, 2], rows: [{ ...base.rows[0]!, program: 'bb' }, { ...base.rows[0]!, name: 'wide', baseline: false }] };
  expect(changedRows(await settleStudy(root, more), more)).toEqual(['main']);
  expect(readStudyFile(root)).toEqual(more);
});
it.each<[string, Partial<StudyFile>, RegExp]>([
  ['data', { data: 'e'.repeat(64) }, /the data \(was d{12}, is e{12}\)/],
  ['a budget', { budget: { epochs: 3, steps: 30 } }, /the budget \(was epochs 3, is epochs 3, steps 30\)/],
  ['a definition of the metric', { metric: { ...base.metric, miou: 'image-both' } }, /the metric \(was .*miou dataset-both.*, is .*miou image-both/],
  ['a checkpoint', { metric: { ...base.metric, checkpoint: 'best' } }, /checkpoint last.*checkpoint best/],
  ['a split', { reading: { split: { kind: 'ratio', val: 0.2, seed: 0 } } }, /the way the data are read/],
  ['weights', { weights: { identity: 'random' } }, /the starting weights \(was init, is random\)/],
  ['threads', { threads: 2 }, /the threads of a run \(was 1, is 2\)/],
])('refuses other: %s', async (_, other, message) => {
  const root = folder();
  await settleStudy(root, base);
  await expect(settleStudy(root, { ...base, ...other })).rejects.toThrow(message);
  expect(readStudyFile(root)).toEqual(base);
});
it('two that begin together agree on one', async () => {
  const root = folder();
  const ends = await Promise.allSettled([base, { ...base, data: 'e'.repeat(64) }].map((s) => settleStudy(root, s)));
  expect(ends.map((e) => e.status).sort()).toEqual(['fulfilled', 'rejected']);
});
it('a damaged study.json is told, not overwritten', async () => {
  const root = folder();
  writeFileSync(join(root, 'study.json'), '{"format": 1');
  await expect(settleStudy(root, base)).rejects.toThrow(/study\.json is damaged/);
  expect(readFileSync(join(root, 'study.json'), 'utf8')).toBe('{"format": 1');
});
