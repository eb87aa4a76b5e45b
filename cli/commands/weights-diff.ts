// tpsc weights diff: how two checkpoints differ.
import { diffWeights } from '../../runtime/state/difference.js';
import { weightsFile } from '../../runtime/state/weights.js';
import { renderDifference } from '../../runtime/report/weights.js';
import { command } from '../command.js';
import { formatFlag } from '../flags.js';

export const weightsDiff = command({
  name: 'weights diff',
  arguments: '<a> <b>',
  summary: 'how two checkpoints differ, tensor by tensor',
  about: 'Tensors are compared by name; an optimiser\'s moments are left aside. The exit code is 0 whether they differ or not.',
  flags: {
    a: { type: 'string', demandOption: true, describe: 'a .safetensors or .pt file, or a run' },
    b: { type: 'string', demandOption: true, describe: 'another' },
    format: formatFlag,
  },
  examples: [['tpsc weights diff runs/a runs/b', 'the best checkpoints of two runs'], ['tpsc weights diff sam2.safetensors runs/a', 'what a training changed']],
  run: async (args, io) => {
    const [a, b] = [weightsFile(args.a), weightsFile(args.b)];
    const difference = diffWeights(a, b);
    io.out(args.format === 'json' ? `${JSON.stringify({ a, b, ...difference }, null, 2)}\n` : renderDifference(a, b, difference));
    return 0;
  },
});
