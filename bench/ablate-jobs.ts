// Whether two runs at a time with a thread each take longer than one after another with two: `tsx bench/ablate-jobs.ts [--rounds 2] [--steps 30]`.
// A study of the nano network on phantom data, 2 rows by 2 seeds, done anew in each way by turns. Times of a whole `tpsc ablate`, from start to end, and the
// processor seconds of all its processes; a ratio for each round, for a machine that is not quiet.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { NANO_PHANTOM, nanoStudy } from '../test/ablate/specs.js';
import { programWords } from '../test/cli/program.js';
import { timedProcess } from './child.js';
import { median } from './subject.js';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '2' }, steps: { type: 'string', default: '30' } } });
const root = mkdtempSync(join(tmpdir(), 'ablate-jobs-')), file = join(root, 'net.tps'), data = join(root, 'data');

const timed = (argv: readonly string[]): ReturnType<typeof timedProcess> => timedProcess([...programWords(), ...argv]);

try {
  writeFileSync(file, nanoStudy('jobs', ['A1', 'A4'], 2, Number(values.steps)));
  timed(['data', 'phantom', '--out', data, ...NANO_PHANTOM]);
  const ratios: { readonly wall: number; readonly processor: number }[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    const ways = round % 2 === 0 ? ['1', '2'] : ['2', '1'];
    const took = new Map(ways.map((jobs) => {
      const out = join(root, `out-${round}-${jobs}`);
      return [jobs, timed(['ablate', file, '--study', 'jobs', '--data', data, '--out', out, '--weights', 'random', '--threads', '2', '--jobs', jobs])] as const;
    }));
    const [one, two] = [took.get('1'), took.get('2')];
    if (one === undefined || two === undefined) throw new Error('both ways are timed');
    ratios.push({ wall: two.wall / one.wall, processor: two.processor / one.processor });
    for (const [name, { wall, processor }] of [['--jobs 1, 2 threads', one], ['--jobs 2, 1 thread each', two]] as const) console.log(`${name.padEnd(24)} ${wall.toFixed(1).padStart(7)} s   ${processor.toFixed(1).padStart(7)} s of processors`);
    console.log(`round ${round + 1}: two at a time take ${(two.wall / one.wall).toFixed(2)} of the time, ${(two.processor / one.processor).toFixed(2)} of the processors' work\n`);
  }
  console.log(`medians of ${ratios.length}: ${median(ratios.map((r) => r.wall)).toFixed(2)} of the time, ${median(ratios.map((r) => r.processor)).toFixed(2)} of the processors' work`);
} finally {
  rmSync(root, { recursive: true, force: true });
}
