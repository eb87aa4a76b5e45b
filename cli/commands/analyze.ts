// tpsc analyze: figures of what a trained network learnt, with their numbers.
import { join } from 'node:path';
import { programName, type Program } from '../../compiler/program.js';
import { MisuseError, UserError } from '../../runtime/errors.js';
import { command } from '../command.js';
import { countOf, engineFlags, formatFlag } from '../flags.js';
import { barOf } from '../progress.js';

export const analyze = command({
  name: 'analyze',
  arguments: '<runs..>',
  summary: 'figures of prototypes, gates and predictions of trained runs',
  about: `Each figure is written as SVG, PNG and JSON; the JSON holds every number that is drawn. Without --prototypes, --gates and --panels: all that the run's network has, panels too where --data is given. Several runs are drawn as panels, side by side.
  similarity  cosines between the foreground prototypes of the tasks, one matrix a declaration
  separation  1 - cos(foreground, background) of each task, against Dice and mIoU with Pearson's r
  gates       every task's gate over the blocks, and its split b*: the first block with g >= 0.5
  panels      image, truth and one column a run; Dice of each prediction at the network's size, as eval counts it`,
  flags: {
    runs: { type: 'string', array: true, demandOption: true, describe: 'directories of runs' },
    prototypes: { type: 'boolean', default: false, describe: 'similarity and separation' },
    gates: { type: 'boolean', default: false, describe: 'gates' },
    panels: { type: 'boolean', default: false, describe: 'panels; needs --data' },
    data: { type: 'string', describe: 'the data folder: for panels, and for scores that eval has not left in the run' },
    split: { type: 'string', choices: ['train', 'val', 'test'], default: 'val', describe: 'the part of the data' },
    images: { type: 'number', default: 1, describe: 'images of each task in panels' },
    checkpoint: { type: 'string', choices: ['last', 'best'], describe: 'default: best where there is one' },
    out: { type: 'string', describe: 'the folder of the figures (default: analysis in the first run)' },
    ...engineFlags,
    format: formatFlag,
  },
  examples: [
    ['tpsc analyze runs/a', 'all that the network of the run has'],
    ['tpsc analyze runs/a --prototypes --data lesions/', 'evaluates first where the run has no scores'],
    ['tpsc analyze runs/a runs/b --panels --data lesions/ --images 2 --out figures', 'two runs side by side'],
  ],
  run: async (args, io) => {
    const roots = args.runs.map(String), images = countOf('images', args.images, 1, 100) ?? 1;
    const named = args.prototypes || args.gates || args.panels;
    if (roots.length > 1 && (args.prototypes || args.gates)) throw new MisuseError(`--${args.prototypes ? 'prototypes' : 'gates'} is drawn for one run, and ${roots.length} are given`, 'Give one run; several are compared by --panels.');
    const panels = args.panels || roots.length > 1 || (!named && args.data !== undefined);
    const folder = args.data;
    if (panels && folder === undefined) throw new MisuseError(`${args.panels ? '--panels needs' : 'several runs are drawn as panels, which need'} --data`, 'name the data folder whose images are to be shown');

    const [{ openRunProgram }, { openTrainedRun }, { readableGates }, { prototypesOf }] = await Promise.all([
      import('../trained.js'), import('../../runtime/train/trained-run.js'), import('../../runtime/analyze/gates.js'), import('../../runtime/analyze/prototypes.js'),
    ]);
    const opened = roots.map((root) => ({ root, ...openRunProgram(root) }));
    const subjects = opened.map(({ root, program }) => ({ root, program, trained: openTrainedRun(root, program, args.checkpoint) }));
    const [first] = opened, [subject] = subjects;
    if (first === undefined || subject === undefined) throw new MisuseError('no run is given', 'name the directory of a run');
    const { program } = first, alone = roots.length === 1;
    const has = { prototypes: prototypesOf(program).length > 0, gates: readableGates(program).length > 0 };
    if (args.prototypes && !has.prototypes) throw new UserError(`${first.root}: ${lacks(program, 'prototypes per task')}`, 'It has them by a statement `prototypes NAME per t: …`. A learnt prototype is a plain parameter, and a `state` is none.');
    if (args.gates && !has.gates) throw new UserError(`${first.root}: ${lacks(program, 'gate that depends on the task alone')}`, 'It has one by a statement `gate NAME per t over PATH = …`.');
    const wants = { prototypes: args.prototypes || (!named && alone && has.prototypes), gates: args.gates || (!named && alone && has.gates) };
    if (!wants.prototypes && !wants.gates && !panels) throw new UserError(`${first.root}: ${lacks(program, 'prototypes and no gate')}`, 'Its predictions are drawn by --panels --data DIR.');

    const [{ findGates, findPanels, findPrototypes }, { openData, openEngine }, { makeCache }, { writeFigure }] = await Promise.all([
      import('../analysis.js'), import('../session.js'), import('../../runtime/data/index.js'), import('../../runtime/report/figures/figure.js'),
    ]);
    const bar = barOf(io, 'predicting {bar} {value}/{total} images');
    const once = <T>(make: () => Promise<T>): (() => Promise<T>) => { let made: Promise<T> | undefined; return () => (made ??= make()); };
    const dataset = folder === undefined ? undefined : once(() => openData(ofAllTasks(opened.map((o) => o.program)), folder, io, first.record.reading, first.record.identity.data));
    const means = {
      split: args.split === 'train' || args.split === 'test' ? args.split : 'val', engine: once(() => openEngine(args, io)), cache: makeCache(), onImage: bar.update,
      ...(dataset === undefined ? {} : { dataset }),
    } as const;
    try {
      const findings = [
        ...(wants.prototypes ? await findPrototypes(subject, means) : []),
        ...(wants.gates ? [await findGates(subject)] : []),
        ...(panels && dataset !== undefined ? [await findPanels(subjects, images, { ...means, dataset })] : []),
      ];
      bar.stop();
      const out = args.out ?? join(first.root, 'analysis'), written = [];
      for (const { figure, says } of findings) written.push({ name: figure.name, says, files: await writeFigure(out, figure), data: figure.data });
      if (args.format === 'json') io.out(`${JSON.stringify({ figures: written.map(({ name, files, data }) => ({ name, files, data })) }, null, 2)}\n`);
      else for (const { says, files } of written) io.out(`${files.svg}, .png, .json\n${says.map((line) => `  ${line}\n`).join('')}`);
      return 0;
    } finally {
      bar.stop();
    }
  },
});

/** A program that has every task that some of these has, in the order of the spec: whose data are read. */
function ofAllTasks(programs: readonly Program[]): Program {
  const leading = programs.find((p) => p.tasks !== undefined) ?? programs[0];
  if (leading?.tasks === undefined) return leading as Program;
  const rows = new Map(programs.flatMap((p) => p.tasks?.rows ?? []).map((row, i) => [row.code, { row, place: row.number ?? i }]));
  return { ...leading, tasks: { ...leading.tasks, rows: [...rows.values()].sort((a, b) => a.place - b.place).map(({ row }) => row) } };
}

const lacks = (program: Program, what: string): string => `${programName(program)} has no ${what}`;
