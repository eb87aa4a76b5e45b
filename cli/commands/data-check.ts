// tpsc data check: everything that is wrong with a data set, before any training.
import { paint } from '../../runtime/report/colour.js';
import { plural } from '../../runtime/report/numbers.js';
import { renderProblems } from '../../runtime/report/problems.js';
import { renderTable } from '../../runtime/report/table.js';
import { command } from '../command.js';
import { dataFlags, formatFlag, parseSplitRule, programFlags } from '../flags.js';
import { needProgram } from '../program.js';
import { dataProgress } from '../progress.js';

const LISTED = 5;

export const dataCheck = command({
  name: 'data check',
  arguments: '<dir>',
  summary: 'find what is wrong with a data set: every file is opened',
  about: 'A data set is TASK/images/STEM.* and TASK/masks/STEM.* for each task, with an optional manifest.csv (columns task, file, mask, group, split).\nWithout --spec every folder is a task. Exit code 1 where there is an error; training refuses such data.',
  flags: {
    dir: { type: 'string', demandOption: true, describe: 'the data folder' },
    spec: { type: 'string', describe: 'a spec whose tasks name the folders' },
    ...programFlags,
    'split-rule': dataFlags['split-rule'],
    all: { type: 'boolean', default: false, describe: `list every file, not ${LISTED} of a kind` },
    format: formatFlag,
  },
  examples: [
    ['tpsc data check lesions/', 'every folder as a task'],
    ['tpsc data check lesions/ --spec net.tps --tasks SL,CP', 'the folders of two tasks of a spec'],
    ['tpsc data check lesions/ --split-rule fold:0/5', 'what a fold would hold'],
  ],
  run: async (args, io) => {
    const { checkedDataset, foldersIn, taskFolders, SPLITS } = await import('../../runtime/data/index.js');
    const json = args.format === 'json';
    const rows = args.spec === undefined ? undefined : needProgram({ ...args, spec: args.spec }, io, json).tasks?.rows;
    const folders = rows === undefined ? await foldersIn(args.dir) : await taskFolders(args.dir, rows);
    const split = parseSplitRule(args['split-rule']);
    const progress = dataProgress(io, 'reading');
    const dataset = await checkedDataset(args.dir, folders, { progress: progress.update, ...(split === undefined ? {} : { split }) });
    progress.stop();
    const { problems, items } = dataset;
    const errors = problems.filter((p) => p.severity === 'error').length;
    const counts = dataset.tasks.map((task) => {
      const own = items.filter((i) => i.task === task);
      return { task, splits: Object.fromEntries(SPLITS.map((s) => [s, own.filter((i) => i.split === s).length])) };
    });
    if (json) {
      io.out(`${JSON.stringify({ ok: errors === 0, root: args.dir, fingerprint: dataset.fingerprint, splitBy: dataset.splitBy, tasks: counts, problems }, null, 2)}\n`);
      return errors > 0 ? 1 : 0;
    }
    io.out(renderProblems(problems, { colour: io.colour, listed: args.all ? Infinity : LISTED }));
    io.out(renderTable(
      [{ title: 'task' }, ...SPLITS.map((title) => ({ title, align: 'right' as const }))],
      counts.map((c) => [c.task, ...SPLITS.map((s) => String(c.splits[s]))]),
    ));
    const p = paint(io.colour);
    const warnings = problems.length - errors;
    io.out(`\nsplit by ${dataset.splitBy}; ${errors > 0 ? p.red(plural(errors, 'error')) : p.green('ok')}${warnings > 0 ? `, ${p.yellow(plural(warnings, 'warning'))}` : ''}\n`);
    return errors > 0 ? 1 : 0;
  },
});
