// tpsc weights list: what a checkpoint holds.
import { listWeights } from '../../runtime/state/listing.js';
import { weightsFile } from '../../runtime/state/weights.js';
import { renderListing } from '../../runtime/report/weights.js';
import { command } from '../command.js';
import { entryFlag, formatFlag } from '../flags.js';

export const weightsList = command({
  name: 'weights list',
  arguments: '<file>',
  summary: 'the tensors of a checkpoint: names, dtypes, shapes',
  about: 'Reads .safetensors, PyTorch\'s .pt and the directory of a run. Nothing in a .pt can run: only tensors are read, and no values.',
  flags: { file: { type: 'string', demandOption: true, describe: 'a .safetensors or .pt file, or a run' }, entry: entryFlag, format: formatFlag },
  examples: [
    ['tpsc weights list sam2_hiera_large.pt', 'names, dtypes and shapes'],
    ['tpsc weights list runs/a --format json', 'for a tool'],
  ],
  run: async (args, io) => {
    const list = listWeights(weightsFile(args.file), args.entry);
    io.out(args.format === 'json' ? `${JSON.stringify(list, null, 2)}\n` : renderListing(list));
    return 0;
  },
});
