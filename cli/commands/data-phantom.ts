// tpsc data phantom: synthetic lesion pictures, for trying things out.
import { command } from '../command.js';
import { countOf } from '../flags.js';
import { barOf } from '../progress.js';

export const dataPhantom = command({
  name: 'data phantom',
  arguments: '',
  summary: 'make synthetic lesion pictures of eight tasks',
  about: 'Each task in the manner of its modality; nothing comes from a patient. Thyroid nodule and breast lesion share their pictures and differ in what is to be segmented.',
  flags: {
    out: { type: 'string', demandOption: true, describe: 'the folder to make' },
    seed: { type: 'number', default: 0, describe: 'equal seeds give equal pictures' },
    size: { type: 'number', describe: 'side of the pictures in pixels (default: 160)' },
    train: { type: 'number', describe: 'training pictures a task (default: 40)' },
    val: { type: 'number', describe: 'validation pictures a task (default: 10)' },
  },
  examples: [
    ['tpsc data phantom --out phantom --seed 1', 'eight tasks, 50 pictures each'],
    ['tpsc data phantom --out small --train 8 --val 4 --size 64', 'a few small ones'],
  ],
  run: async (args, io) => {
    const { makePhantom } = await import('../../runtime/data/index.js');
    const [size, train, val] = [countOf('size', args.size), countOf('train', args.train), countOf('val', args.val, 0)];
    const seed = countOf('seed', args.seed, 0) ?? 0;
    const bar = barOf(io, 'drawing {bar} {value}/{total}');
    const { pictures, tasks } = await makePhantom(args.out, {
      seed, progress: bar.update, ...(size === undefined ? {} : { size }), ...(train === undefined ? {} : { train }), ...(val === undefined ? {} : { val }),
    });
    bar.stop();
    io.out(`${pictures} pictures of ${tasks.length} tasks in ${args.out}\n`);
    return 0;
  },
});
