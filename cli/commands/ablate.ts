// tpsc ablate: trains and scores every run of a study in one folder, so that it can be stopped, killed and shared, and a table made of it.
import { resolve } from 'node:path';
import { changedRows } from '../../runtime/ablate/agree.js';
import type { RunEntry } from '../../runtime/ablate/layout.js';
import { MisuseError } from '../../runtime/errors.js';
import { DEFAULT_MIOU } from '../../runtime/metrics/scores.js';
import { plural } from '../../runtime/report/numbers.js';
import type { AblateArgs, OpenedPlan } from '../ablate/open.js';
import type { SlurmRequest } from '../ablate/submit.js';
import { command } from '../command.js';
import { cacheFlags, dataFlags, engineFlags, formatFlag, quoted, scoreFlags } from '../flags.js';
import { showPath, type Io } from '../io.js';

const needed = (value: string | undefined, flag: string): string => {
  if (value === undefined) throw new MisuseError(`tpsc ablate needs ${flag}`, 'write tpsc ablate SPEC --study NAME --data DIR --out DIR, tpsc ablate --status DIR or tpsc ablate --collect DIR');
  return value;
};

export const ablate = command({
  name: 'ablate',
  arguments: '[spec]',
  summary: 'train and score every row of a study',
  about: 'The runs lie in --out/runs, each named by what could change a number of it. The same command again skips what is done, goes on with what was cut, and tries anew what failed; Ctrl-C saves all.\nSeveral may work in one folder at once, on several machines too: a run is done by one of them. `tpsc table` makes the table.',
  flags: {
    spec: { type: 'string', describe: 'a .tps file with studies' },
    study: { type: 'string', describe: 'name of the study' },
    data: { type: 'string', describe: 'the data folder' },
    out: { type: 'string', describe: 'the folder of the study\'s runs' },
    rows: { type: 'string', describe: 'of the study\'s rows, these alone: A1,A2' },
    jobs: { type: 'number', describe: 'runs at a time, a process each (default: 1; on Slurm: as many as it finds room for)' },
    'dry-run': { type: 'boolean', default: false, describe: 'print the plan and what it costs (and the script for Slurm), start nothing' },
    executor: { type: 'string', choices: ['local', 'slurm'], default: 'local', describe: 'slurm: submit the runs to a cluster, an array job with a task a run' },
    'slurm-args': { type: 'string', nargs: 1, describe: 'further options of sbatch: --slurm-args="--partition=long --mem=8G"' },
    status: { type: 'string', describe: 'how the study in this folder stands, in Slurm too' },
    collect: { type: 'string', describe: 'once jobs of this folder have ended: what is done, what failed and why' },
    wait: { type: 'boolean', default: false, describe: 'with --collect or --executor slurm: wait for the end first' },
    run: { type: 'string', describe: 'one run of --out in this process: its name in runs.json' },
    tensorboard: { type: 'boolean', default: false, describe: 'write events for TensorBoard into --out/tensorboard, too: scalars, and masks at each validation' },
    weights: { type: 'string', describe: 'every run starts from a run or a .safetensors file; `random`: let frozen parts stay random' },
    tasks: { type: 'string', describe: 'codes of the tasks to keep: WA,SL' },
    checkpoint: { type: 'string', choices: ['last', 'best'], default: 'last', describe: 'the one that is scored; counts of both are kept' },
    miou: { ...scoreFlags.miou, default: DEFAULT_MIOU },
    at: { ...scoreFlags.at, default: 'network' },
    ...engineFlags,
    threads: { type: 'number', describe: 'threads in all, shared among the jobs (default: one a processor, at a low priority, so that the machine stays usable); on Slurm of each run, --cpus-per-task (default: 1)' },
    ...dataFlags,
    cache: { ...cacheFlags.cache, describe: `${cacheFlags.cache.describe} (default: --out/features, which all rows share, up to 10GiB; removed when all is done)` },
    format: formatFlag,
  },
  examples: [
    ['tpsc ablate net.tps --study widths --data lesions/ --out runs/widths --dry-run', 'what it asks for, and what that costs'],
    ['tpsc ablate net.tps --study widths --data lesions/ --out runs/widths --jobs 2', 'two runs at a time; the same again goes on'],
    ['tpsc ablate net.tps --study widths --data lesions/ --out runs/widths --weights runs/pretrain', 'every run from one pretraining'],
    ['tpsc ablate --status runs/widths', 'how far it is, what failed'],
    ['tpsc ablate net.tps --study widths --data lesions/ --out runs/widths --executor slurm --threads 4 --slurm-args="--partition=long --mem=8G"', 'to Slurm, a task a run with 4 processors; the same again submits what was cut or failed'],
    ['tpsc ablate --collect runs/widths --wait', 'wait for the jobs; exit code 0 where all runs are done'],
  ],
  run: async (args, io) => {
    const json = args.format === 'json';
    if (args.status !== undefined) return (await import('../ablate/standing.js')).status(args.status, io, json);
    if (args.collect !== undefined) return (await import('../ablate/standing.js')).collect(args.collect, args.wait, io, json);
    if (args.executor !== 'slurm' && (args.wait || args['slurm-args'] !== undefined)) throw new MisuseError(`${args.wait ? '--wait' : '--slurm-args'} goes with --executor slurm`, 'without it the runs are done here, and the command ends with them');
    const out = needed(args.out, '--out'), data = needed(args.data, '--data');
    if (args.run !== undefined) {
      const { runWorker } = await import('../ablate/worker.js');
      const words = workerWords({ ...args, out, data, run: args.run });
      return runWorker({ ...args, out, data, run: args.run, command: ['tpsc', ...words].map(quoted).join(' ') }, io);
    }
    return study({ ...args, spec: needed(args.spec, 'a spec'), study: needed(args.study, '--study'), out, data }, args['dry-run'], io, json);
  },
});

/** What all runs are told besides study.json. */
function workerWords(args: Pick<AblateArgs, 'out' | 'data' | 'weights' | 'tensorboard' | 'engine' | 'device' | 'cache'> & { readonly run: string }): readonly string[] {
  return ['ablate', '--run', args.run, '--out', args.out, '--data', args.data, ...(args.weights === undefined ? [] : ['--weights', args.weights]), ...(args.tensorboard ? ['--tensorboard'] : []),
    ...(args.engine === 'ort' ? [] : ['--engine', args.engine]), ...(args.device === 'cpu' ? [] : ['--device', args.device]), ...(args.cache === undefined ? [] : ['--cache', args.cache])];
}

async function study(args: AblateArgs & { readonly wait: boolean }, dryRun: boolean, io: Io, json: boolean): Promise<number> {
  const [{ openPlan }, { settleStudy, requireAgreement }, { findStudyFile, studyPaths }, { scanRuns }, report, { makeFolder }, { openRuns, scriptOf, submitOpen }, { checkSlurmArgs }, { requireSlurm }, standing, { workerCache }] = await Promise.all([
    import('../ablate/open.js'), import('../../runtime/ablate/agree.js'), import('../../runtime/ablate/layout.js'), import('../../runtime/ablate/scan.js'), import('../../runtime/report/ablation.js'),
    import('../../runtime/state/atomic.js'), import('../ablate/submit.js'), import('../ablate/slurm-script.js'), import('../../runtime/ablate/slurm.js'), import('../ablate/standing.js'),
    import('../ablate/features.js'),
  ]);
  const onSlurm = args.executor === 'slurm', extra = args['slurm-args'];
  if (extra !== undefined) checkSlurmArgs(extra);
  if (onSlurm && !dryRun) requireSlurm();
  const opened = await openPlan(args, io), { plan, chosen, jobs, weights } = opened, { out } = args, paths = studyPaths(out);
  const before = scanRuns(out, plan.runs, plan.study), open = openRuns(chosen, before), planned = report.planReport(plan, before, jobs ?? Math.max(1, open.length));
  const cache = workerCache(args.cache, onSlurm ? 1 : jobs ?? 1);
  // a node knows the paths of this machine, not its working folder
  const words = (run: string): readonly string[] => [...io.self, ...workerWords({ ...args, out: resolve(out), data: resolve(args.data), run, ...(weights === undefined ? {} : { weights }), ...(cache === undefined ? {} : { cache }) })];
  const slurm: SlurmRequest = { out, opened, words, ...(extra === undefined ? {} : { args: extra }) };
  if (dryRun) {
    const there = findStudyFile(out), script = onSlurm && open.length > 0 ? scriptOf(slurm, open) : undefined;
    if (there !== undefined) requireAgreement(out, there, plan.study);
    io.out(json ? `${JSON.stringify({ ...planned, list: before, script }, null, 2)}\n` : `${report.renderPlan(planned, plan.study)}${script === undefined ? '' : `\n${script}`}`);
    return 0;
  }
  const changed = changedRows(await settleStudy(out, plan.study), plan.study);
  if (changed.length > 0) io.err(`${plural(changed.length, 'row')} changed since: ${changed.join(', ')}. Their runs are made anew; the old ones stay in ${paths.root}/runs\n`);
  makeFolder(`${out}/logs`);
  io.err(report.renderPlan(planned, plan.study));
  if (!onSlurm) return here(args, opened, before, words, io, json);
  const job = submitOpen(slurm, before, againText(args), io);
  if (job === undefined) io.err('nothing to submit\n');
  if (args.wait) return standing.collect(out, true, io, json);
  return standing.status(out, io, json);
}

/** Does the runs on this machine. Gives the exit code. */
async function here(args: AblateArgs, { plan, chosen, jobs = 1 }: OpenedPlan, before: readonly RunEntry[], words: (run: string) => readonly string[], io: Io, json: boolean): Promise<number> {
  const [{ boardOf }, { spawnWorker }, { studyPaths }, { runAll }, report, { featuresText }, { addedUse, NOTHING_USED }, { removeFeatures }] = await Promise.all([
    import('../ablate/board.js'), import('../ablate/spawn.js'), import('../../runtime/ablate/layout.js'), import('../../runtime/ablate/runner.js'), import('../../runtime/report/ablation.js'),
    import('../../runtime/report/training.js'), import('../../runtime/features/cache.js'), import('../ablate/features.js'),
  ]);
  const { out } = args, board = boardOf(io, chosen, before), stop = new AbortController();
  let use = NOTHING_USED;
  const unlisten = io.onInterrupt(() => {
    board.line('stopping: every run saves; once more Ctrl-C ends at once');
    stop.abort();
  });
  try {
    const entries = await runAll({
      root: out, goal: plan.study, all: plan.runs, runs: chosen, jobs, signal: stop.signal,
      start: (run) => spawnWorker(words(run.run), studyPaths(out).log(run.run), (message) => {
        if (message.kind === 'end' && message.features !== undefined) use = addedUse(use, message.features);
        board.told(run, message);
      }),
      onEvent: (e) => {
        switch (e.kind) {
          case 'start': return board.started(e.run);
          case 'end': return board.ended(e.run, e.entry, e.ours);
          case 'again': return board.line(`${report.runName(e.run)}: its process was ended by the system; started again`);
          case 'waiting': return board.line(`${plural(e.runs.length, 'run')} left, in the hands of another runner: waiting`);
        }
      },
    });
    board.stop();
    if (args.tensorboard) await completeEvents(out, plan.study.tasks, entries);
    if (args.cache === undefined && entries.every((e) => e.state === 'done')) removeFeatures(out);
    if (use.images > 0) io.err(`${featuresText(use)}\n`);
    const failed = entries.filter((e) => e.state === 'failed' && chosen.some((r) => r.run === e.run)), again = againText(args);
    if (json) io.out(`${JSON.stringify({ study: plan.study.study, out, interrupted: stop.signal.aborted, ...(use.images > 0 ? { features: use } : {}), runs: entries }, null, 2)}\n`);
    else io.out(`${report.renderStanding(out, plan.study, entries, io.colour)}\n${stop.signal.aborted ? `stopped; go on with:\n  ${again}\n` : failed.length > 0 ? `once that is mended, the failed runs alone are tried again by:\n  ${again}\n` : `the table: tpsc table ${quoted(showPath(resolve(out)))}\n`}`);
    return stop.signal.aborted ? 130 : failed.length > 0 ? 1 : 0;
  } finally {
    board.stop();
    unlisten();
  }
}

/** Events of runs that were trained without them, from their logs: numbers alone. */
async function completeEvents(root: string, tasks: readonly string[], entries: readonly RunEntry[]): Promise<void> {
  const [{ eventsFolder, studyPaths }, { openEvents }, { readLog }, { runPaths }] = await Promise.all([
    import('../../runtime/ablate/layout.js'), import('../../runtime/tensorboard/events.js'), import('../../runtime/train/log.js'), import('../../runtime/train/run-directory.js'),
  ]);
  const done = entries.filter((e, i) => e.state === 'done' && entries.findIndex((other) => other.run === e.run) === i);
  for (const entry of done) openEvents(eventsFolder(root, entry, tasks), readLog(runPaths(studyPaths(root).folder(entry.run)).log)).close();
}

/** The command as a person would type it again. */
function againText(args: AblateArgs): string {
  const defaults: Readonly<Record<string, unknown>> = { engine: 'ort', device: 'cpu', executor: 'local', checkpoint: 'last', miou: DEFAULT_MIOU, at: 'network' };
  const names = ['study', 'data', 'out', 'rows', 'jobs', 'threads', 'weights', 'tasks', 'checkpoint', 'miou', 'at', 'engine', 'device', 'split-rule', 'accept', 'executor', 'cache'] as const;
  return ['tpsc', 'ablate', args.spec, ...names.flatMap((n) => (args[n] === undefined || args[n] === defaults[n] ? [] : [`--${n}`, String(args[n])])), ...(args['slurm-args'] === undefined ? [] : [`--slurm-args=${args['slurm-args']}`]), ...(args.tensorboard ? ['--tensorboard'] : [])].map(quoted).join(' ');
}
