// tpsc weights export: a checkpoint of ours for PyTorch.
import { MisuseError } from '../../runtime/errors.js';
import { exportWeights } from '../../runtime/state/export.js';
import { chooseMap } from '../../runtime/state/import.js';
import { weightsFile } from '../../runtime/state/weights.js';
import { renderExport } from '../../runtime/report/weights.js';
import { command } from '../command.js';
import { formatFlag, programFlags, specFlag } from '../flags.js';
import { needProgram } from '../program.js';
import { isRun, openRunProgram } from '../trained.js';

export const weightsExport = command({
  name: 'weights export',
  arguments: '<checkpoint>',
  summary: 'write a checkpoint for PyTorch: a state dict (.pt) or .safetensors',
  about: '`torch.load(FILE, weights_only=True)` gives the .pt back as a dict of tensors. With --map the tensors have the keys that they came with, else the spec\'s paths;\n--onto puts them into the checkpoint that they came from, so that it loads as before.\nAn optimiser\'s moments are left out.',
  flags: {
    checkpoint: { type: 'string', demandOption: true, describe: 'a run, or a .safetensors file' },
    out: { type: 'string', demandOption: true, describe: 'a file that ends in .pt, .pth or .safetensors' },
    map: { type: 'string', describe: 'name of a `weights` declaration to read backwards' },
    spec: specFlag,
    block: { type: 'string', describe: 'name of the train block (default: the last one)' },
    ...programFlags,
    onto: { type: 'string', describe: 'with --map: the checkpoint that was imported; all else in it is kept' },
    entry: { type: 'string', describe: 'put the state dict of a .pt under this key, as SAM 2 does under `model`' },
    format: formatFlag,
  },
  examples: [
    ['tpsc weights export runs/a --out a.pt', 'the best checkpoint of a run under its own paths'],
    ['tpsc weights export sam2.safetensors --spec tpseg.tps --map sam2 --onto sam2_hiera_large.pt --out sam2.pt', 'the official file with these weights in their places'],
  ],
  run: async (args, io) => {
    const json = args.format === 'json';
    const file = weightsFile(args.checkpoint);
    const { spec, map } = args;
    if (map === undefined && spec !== undefined) throw new MisuseError('--spec says where --map is declared, and --map is not given', 'Add --map NAME, or leave --spec away.');
    if (map !== undefined && spec === undefined && !isRun(args.checkpoint)) throw new MisuseError(`--map ${map} needs --spec: ${args.checkpoint} is no run, which would keep its own`, 'Add --spec FILE.');
    const program = map === undefined ? undefined : spec === undefined ? openRunProgram(args.checkpoint).program : needProgram({ ...args, spec }, io, json);
    const by = program === undefined ? undefined : { program, map: chooseMap(program, map) };
    const report = exportWeights({
      file, out: args.out, ...(by?.map === undefined ? {} : { by: { program: by.program, map: by.map } }), ...(args.onto === undefined ? {} : { onto: args.onto }), ...(args.entry === undefined ? {} : { entry: args.entry }),
    });
    io.out(json ? `${JSON.stringify(report, null, 2)}\n` : renderExport(report));
    return 0;
  },
});
