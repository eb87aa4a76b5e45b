// Rows of a study that share the frozen part share its features, and nobody's numbers change by it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunEntry } from '../../runtime/ablate/layout.js';
import type { FeatureUse } from '../../runtime/features/cache.js';
import { loadCheckpoint } from '../../runtime/state/checkpoint.js';
import { folderOf, tpsc } from '../cli/harness.js';
import { FROZEN_SPEC } from '../train/frozen.js';
import { tinyData } from '../train/tiny.js';

const folder = folderOf({ 'net.tps': FROZEN_SPEC }), at = (name: string): string => join(folder, name);
const study = async (out: string, ...more: readonly string[]): Promise<{ readonly err: string; readonly runs: readonly RunEntry[]; readonly features?: FeatureUse }> => {
  const { code, out: text, err } = await tpsc(['ablate', at('net.tps'), '--study', 'depths', '--data', at('data'), '--out', at(out), '--weights', 'random', '--threads', '1', '--format', 'json', ...more]);
  expect(code, err).toBe(0);
  return { err, ...(JSON.parse(text) as { readonly runs: readonly RunEntry[]; readonly features?: FeatureUse }) };
};
/** All that the runs wrote that holds numbers. */
const numbers = (out: string): readonly string[] => readdirSync(at(`${out}/runs`)).sort().flatMap((run) =>
  [...['metrics.jsonl', 'eval/val-last.csv'].map((file) => readFileSync(at(`${out}/runs/${run}/${file}`), 'utf8')),
    ...[...loadCheckpoint(at(`${out}/runs/${run}/checkpoints`), 'last').state.tensors.values()].map((t) => (t.data as Float32Array).join())]);

describe('a study whose rows have one frozen encoder', { timeout: 300_000 }, () => {
  it('computes what the encoder makes of a picture once for all rows, says so, and has the numbers of one that keeps nothing', async () => {
    await tinyData(at('data'));
    const shared = await study('shared'), alone = await study('alone', '--cache', 'off');
    expect(numbers('shared')).toEqual(numbers('alone'));
    expect([alone.features, shared.features!.images]).toEqual([undefined, 2 * (84 + 12)]);
    // the second row sees the pictures that the first one saw, in the same order and flipped alike
    expect(shared.features!.images - shared.features!.kept).toBeLessThanOrEqual(4 * 15 + 6);
    expect(shared.err).toMatch(/^features of the frozen part: \d+ of 192 were there already/m);
    const logs = shared.runs.map((r) => readFileSync(at(`shared/logs/${r.run}.log`), 'utf8'));
    expect(logs[1]).toContain('features of the frozen part: 96 of 96 were there already');
    expect(logs[0]).toMatch(/^frozen part: \d\d % of a step's multiply-adds, its features 2\.00 KiB an image, kept in .*features, up to /m);
    expect(existsSync(at('shared/features'))).toBe(false);
  });
});
