// What a command asks of the machine: threads and their priority, a look at the data, and a process that ends.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, constants, getPriority } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, it } from 'vitest';
import { packageRoot } from '../../cli/host.js';
import { folderOf, tpsc } from './harness.js';
import { programWords } from './program.js';
import { TINY } from './specs.js';

const folder = folderOf({ 'tiny.tps': TINY }), data = join(folder, 'phantom'), run = join(folder, 'run');
const train = (out: string, ...more: readonly string[]): readonly string[] => ['train', join(folder, 'tiny.tps'), '--data', data, '--out', out, ...more];
/** Whether the command lets others' work go first. */
const stepsBack = async (argv: readonly string[]): Promise<boolean> => {
  let back = false;
  expect(await tpsc(argv, { stepBack: () => { back = true; } })).toMatchObject({ code: 0 });
  return back;
};

beforeAll(async () => { expect(await tpsc(['data', 'phantom', '--out', data, '--seed', '3', '--size', '32', '--train', '6', '--val', '2'])).toMatchObject({ code: 0 }); });

it('lets others go first unless the threads are said, and a resumed run has as many as before', async () => {
  expect(await stepsBack(train(run, '--threads', '1', '--max-steps', '1'))).toBe(false);
  expect(await stepsBack(train(run, '--resume', '--max-steps', '2'))).toBe(true);
  expect(JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')).identity.threads).toBe(1);
  const other = await tpsc(train(run, '--resume', '--threads', '3'));
  expect(other).toMatchObject({ code: 1, err: expect.stringContaining('the number of threads (was 1, is 3)') });
  expect(await stepsBack(train(join(folder, 'usual'), '--max-steps', '1'))).toBe(true);
  expect(JSON.parse(readFileSync(join(folder, 'usual', 'run.json'), 'utf8')).identity.threads).toBe(availableParallelism());
});

it.runIf(process.platform === 'linux')('steps back by the priority of its own process alone', () => {
  const before = getPriority();
  const code = `const { processIo } = await import(${JSON.stringify(join(packageRoot, 'cli/io.ts'))}); processIo().stepBack(); console.log((await import('node:os')).getPriority());`;
  const { stdout } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], { encoding: 'utf8', cwd: packageRoot });
  expect(Number(stdout)).toBe(Math.max(before, constants.priority.PRIORITY_BELOW_NORMAL));
  expect(getPriority()).toBe(before);
});

it('opens data once for a run: those that it was begun with are only read again', async () => {
  const masks = join(data, 'skin_lesion', 'masks'), [one = '', other = ''] = readdirSync(masks), out = join(folder, 'accepted');
  const dim = (file: string): Promise<unknown> => sharp({ create: { width: 32, height: 32, channels: 3, background: { r: 1, g: 1, b: 1 } } }).toColourspace('b-w').png().toFile(join(masks, file));
  await dim(one);
  expect(await tpsc(train(out))).toMatchObject({ code: 1, err: expect.stringContaining('DATA014') });
  expect(await tpsc(train(out, '--accept', 'DATA014', '--max-steps', '1'))).toMatchObject({ code: 0 });
  expect(await tpsc(train(out, '--resume', '--max-steps', '2'))).toMatchObject({ code: 0 });
  await dim(other);
  expect(await tpsc(train(out, '--resume'))).toMatchObject({ code: 1, err: expect.stringContaining('2 errors') });
});

it('ends as a process as soon as it is done, in the middle of an epoch too', () => {
  const fresh = folderOf({ 'tiny.tps': TINY }), [node = '', ...words] = programWords();
  const tpscHere = (...argv: readonly string[]): ReturnType<typeof spawnSync> => spawnSync(node, [...words, ...argv], { encoding: 'utf8', timeout: 60_000 });
  expect(tpscHere('data', 'phantom', '--out', join(fresh, 'data'), '--size', '32', '--train', '6', '--val', '2')).toMatchObject({ status: 0 });
  expect(tpscHere('train', join(fresh, 'tiny.tps'), '--data', join(fresh, 'data'), '--out', join(fresh, 'run'), '--max-steps', '1')).toMatchObject({ status: 0, stdout: expect.stringContaining('stopped') });
});
