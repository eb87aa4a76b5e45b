// tpsc report: one page of a run or of a study, in one file that asks for nothing else.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../runtime/errors.js';
import { bytes } from '../../runtime/report/numbers.js';
import { command } from '../command.js';
import { countOf, engineFlags, formatFlag, miouOf, scoreFlags } from '../flags.js';
import { barOf } from '../progress.js';
import type { ReportArgs } from '../report.js';

export const report = command({
  name: 'report',
  arguments: '<dir>',
  summary: 'one page of a run or of a study, in one file',
  about: 'A run\'s page: scores, curves, worst and best images, gates, prototypes, the difference from the study\'s baseline, the spec, the environment. A study\'s: its table, and a section for each pair of rows with their difference, a paired test and the images that changed most.\nNumbers come from stored files; only the pictures are predicted. The page loads nothing, works by keyboard, and prints.',
  flags: {
    dir: { type: 'string', demandOption: true, describe: 'a run, a folder of tpsc ablate, or a folder of runs' },
    out: { type: 'string', alias: 'o', describe: 'the page (default: report.html in the folder)' },
    images: { type: 'number', default: 3, describe: 'pictures: of each task so many worst and best; of each pair of rows so many that changed most; 0: none' },
    data: { type: 'string', describe: 'the data folder, where it is no longer at the place that the run names' },
    baseline: { type: 'string', describe: 'a run to compare a run with, or a row of the study (default: the study\'s)' },
    pairs: { type: 'string', choices: ['all', 'baseline'], default: 'all', describe: 'of a study: every two rows, or each with the baseline' },
    split: { type: 'string', choices: ['train', 'val', 'test'], default: 'val', describe: 'the part of the data that was scored' },
    checkpoint: { type: 'string', choices: ['last', 'best'], describe: 'default: the study\'s; of a run the best that was scored' },
    ...scoreFlags,
    ...engineFlags,
    format: formatFlag,
  },
  examples: [
    ['tpsc report runs/a -o a.html', 'a run'],
    ['tpsc report runs/table3 --images 5', 'a study; the page is runs/table3/report.html'],
    ['tpsc report runs/a --baseline runs/b --images 0', 'compared with another run, without pictures'],
    ['tpsc report runs/a --data /mnt/lesions', 'data that were moved'],
  ],
  run: async (args, io) => {
    const images = countOf('images', args.images, 0, 100) ?? 3, { dir } = args, miou = miouOf(args.miou);
    if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true) throw new UserError(`there is no folder ${dir}`, 'Give the --out of `tpsc train` or of `tpsc ablate`.');
    const [{ isRun }, { gatherRun }, { gatherStudy }, { openEngine }, { runPage }, { studyPage }, { pageHtml }, { writeTextAtomically }] = await Promise.all([
      import('../trained.js'), import('../report.js'), import('../report-study.js'), import('../session.js'), import('../../runtime/report/page/run.js'), import('../../runtime/report/page/study.js'),
      import('../../runtime/report/page/page.js'), import('../../runtime/state/atomic.js'),
    ]);
    const bar = barOf(io, 'predicting {bar} {value}/{total} images'), opened: { engine?: ReturnType<typeof openEngine> } = {};
    const means = { engine: () => (opened.engine ??= openEngine(args, io)), onImage: bar.update };
    const asked: ReportArgs & { readonly everyPair: boolean } = {
      folder: dir, split: args.split, images, everyPair: args.pairs !== 'baseline',
      ...(args.checkpoint === 'last' || args.checkpoint === 'best' ? { checkpoint: args.checkpoint } : {}), ...(args.at === 'network' || args.at === 'original' ? { at: args.at } : {}),
      ...(miou === undefined ? {} : { miou }), ...(args.data === undefined ? {} : { data: args.data }), ...(args.baseline === undefined ? {} : { baseline: args.baseline }),
    };
    try {
      const page = pageHtml(isRun(dir) ? await runPage(await gatherRun(asked, means)) : await studyPage(await gatherStudy(asked, io, means)));
      bar.stop();
      const out = args.out ?? join(dir, 'report.html'), size = Buffer.byteLength(page);
      writeTextAtomically(out, page);
      io.out(args.format === 'json' ? `${JSON.stringify({ report: out, bytes: size }, null, 2)}\n` : `${out}: ${bytes(size)}\n`);
      return 0;
    } finally {
      bar.stop();
    }
  },
});
