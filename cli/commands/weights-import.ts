// tpsc weights import: a foreign checkpoint under a spec's own paths.
import { existsSync } from 'node:fs';
import { UserError } from '../../runtime/errors.js';
import { importWeights } from '../../runtime/state/import.js';
import { requireSound } from '../../runtime/state/sound.js';
import { withTensorFile } from '../../runtime/state/tensor-file.js';
import { renderImport } from '../../runtime/report/weights.js';
import { command } from '../command.js';
import { entryFlag, formatFlag, programFlags, quoted, specFlag } from '../flags.js';
import { needProgram } from '../program.js';

export const weightsImport = command({
  name: 'weights import',
  arguments: '<file>',
  summary: 'bring a PyTorch or safetensors checkpoint under a spec\'s paths',
  about: 'The spec\'s `weights` declaration maps the file\'s keys to paths; without one, equal names are taken. Every tensor that is missing, extra or misshapen is named, and then nothing is written.\n'
    + 'Keys of which the map does not speak are left out and told. Nothing in a .pt can run: only tensors are read.',
  flags: {
    file: { type: 'string', demandOption: true, describe: 'a .pt or .safetensors file' },
    spec: { ...specFlag, demandOption: true },
    block: { type: 'string', describe: 'name of the train block (default: the last one)' },
    ...programFlags,
    map: { type: 'string', describe: 'name of the `weights` declaration (default: the one that the encoder names)' },
    entry: entryFlag,
    'drop-extra': { type: 'boolean', default: false, describe: 'leave out keys that the map speaks of but the spec has no tensor for' },
    out: { type: 'string', demandOption: true, describe: 'the .safetensors file to write' },
    format: formatFlag,
  },
  examples: [
    ['tpsc weights import sam2_hiera_large.pt --spec tpseg.tps --out sam2.safetensors', 'for `tpsc train tpseg.tps --weights sam2.safetensors`'],
    ['tpsc weights import tpseg.pth --spec tpseg-released.tps --map tp_seg --out tpseg.safetensors', 'by a map of the whole model'],
  ],
  run: async (args, io) => {
    if (!existsSync(args.file)) throw new UserError(`there is no file ${args.file}`, 'Give a .pt or .safetensors file.');
    const json = args.format === 'json';
    withTensorFile(args.file, args.entry, requireSound); // a file that no spec can want is refused before a large one is compiled
    const program = needProgram(args, io, json);
    const report = importWeights({
      program, file: args.file, out: args.out, dropExtra: args['drop-extra'],
      ...(args.map === undefined ? {} : { map: args.map }), ...(args.entry === undefined ? {} : { entry: args.entry }),
    });
    io.out(json ? `${JSON.stringify(report, null, 2)}\n` : renderImport(report, `tpsc train ${quoted(args.spec)} --weights ${quoted(args.out)} …`));
    return 0;
  },
});
