// tpsc table: a study's results, or those of some runs, as one table.
import { extname } from 'node:path';
import { MisuseError } from '../../runtime/errors.js';
import { paint } from '../../runtime/report/colour.js';
import { renderResults, TABLE_FORMATS, type TableFormat } from '../../runtime/report/results-table/index.js';
import { writeTextAtomically } from '../../runtime/state/atomic.js';
import { command } from '../command.js';
import { miouOf, scoreFlags } from '../flags.js';
import { openResults } from '../results.js';

const ENDINGS: Readonly<Record<string, TableFormat>> = { '.txt': 'text', '.md': 'markdown', '.tex': 'latex', '.csv': 'csv', '.json': 'json', '.html': 'html' };

function formatOf(format: string | undefined, out: string | undefined): TableFormat {
  if (format !== undefined) return TABLE_FORMATS.find((f) => f === format) ?? 'text';
  if (out === undefined) return 'text';
  const found = ENDINGS[extname(out).toLowerCase()];
  if (found === undefined) throw new MisuseError(`--out ${out} does not say in which format`, `give --format, or a name that ends in ${Object.keys(ENDINGS).join(', ')}`);
  return found;
}

export const table = command({
  name: 'table',
  arguments: '<dirs..>',
  summary: 'results of a study or of runs as a table, with a paired test against the baseline',
  about: 'Everything is computed from the confusion counts that eval has stored: no model runs.\nOne row a variant: Dice and mIoU per task, mean ± standard deviation over seeds, parameters, multiply-adds, time; and each row against the baseline over images.\n'
    + 'Runs of other data, another budget or another metric are refused. A cell without data is empty.',
  flags: {
    dirs: { type: 'string', array: true, demandOption: true, describe: 'a folder of tpsc ablate, run directories, or a folder of them' },
    format: { type: 'string', choices: TABLE_FORMATS, describe: 'default: text, or by the ending of --out' },
    out: { type: 'string', describe: 'write this file instead of standard output' },
    baseline: { type: 'string', describe: 'the row that others are compared with (default: the study\'s)' },
    checkpoint: { type: 'string', choices: ['last', 'best'], describe: 'default: the study\'s; of runs: last where one has scores of it' },
    split: { type: 'string', choices: ['train', 'val', 'test'], default: 'val', describe: 'the part of the data' },
    at: { ...scoreFlags.at, describe: 'the size at which masks were compared (default: the study\'s, or network)' },
    miou: { ...scoreFlags.miou, describe: 'definition of mIoU (default: the study\'s, or dataset-both)' },
    'no-time': { type: 'boolean', default: false, describe: 'leave the time of training out: what remains is the same on every machine' },
  },
  examples: [
    ['tpsc table runs/table3', 'a study, in the terminal'],
    ['tpsc table runs/table3 --out table3.tex', 'for a paper: LaTeX with booktabs'],
    ['tpsc table runs/a-0 runs/a-1 runs/b-0 runs/b-1 --baseline a', 'runs of tpsc train, compared with row a'],
    ['tpsc table runs/table3 --format json', 'every number, for a tool'],
  ],
  run: async (args, io) => {
    const format = formatOf(args.format, args.out);
    const miou = miouOf(args.miou);
    const results = openResults({
      folders: args.dirs, split: args.split, time: !args['no-time'],
      ...(args.checkpoint === 'last' || args.checkpoint === 'best' ? { checkpoint: args.checkpoint } : {}), ...(args.at === 'network' || args.at === 'original' ? { at: args.at } : {}),
      ...(miou === undefined ? {} : { miou }), ...(args.baseline === undefined ? {} : { baseline: args.baseline }),
    }, io);
    const text = renderResults(results, format, paint(io.colour && args.out === undefined));
    if (args.out === undefined) io.out(text);
    else {
      writeTextAtomically(args.out, text);
      io.out(`${args.out}: ${results.rows.length} rows\n`);
    }
    return 0;
  },
});
