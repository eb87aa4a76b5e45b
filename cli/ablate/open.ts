// From the flags of `tpsc ablate` to a plan: the study, its programs, its data, the engine. Starts nothing.
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { readFileSync } from 'node:fs';
import { suggestion } from '../../compiler/check/suggest.js';
import { findStudyFile, type StudyMetric } from '../../runtime/ablate/layout.js';
import { planStudy, type Plan, type PlannedRun } from '../../runtime/ablate/plan.js';
import { MisuseError, UserError } from '../../runtime/errors.js';
import { DEFAULT_MIOU } from '../../runtime/metrics/scores.js';
import { countOf, miouOf, readingOf } from '../flags.js';
import type { Io } from '../io.js';
import { barOf } from '../progress.js';
import { openData, openEngine } from '../session.js';
import { openStudy } from '../study.js';

export interface AblateArgs {
  readonly spec: string;
  readonly study: string;
  readonly data: string;
  readonly out: string;
  readonly rows?: string;
  readonly jobs?: number;
  readonly threads?: number;
  readonly executor: string;
  readonly 'slurm-args'?: string;
  readonly tasks?: string;
  readonly weights?: string;
  readonly checkpoint?: string;
  readonly miou?: string;
  readonly at?: string;
  readonly tensorboard: boolean;
  readonly engine: string;
  readonly device: string;
  readonly cache?: string;
  readonly 'split-rule'?: string;
  readonly accept?: string;
}

export interface OpenedPlan {
  readonly plan: Plan;
  /** Those of `--rows`, seed by seed: whatever is done when it is stopped is a whole table. */
  readonly chosen: readonly PlannedRun[];
  /** Runs at a time; absent where the queue of Slurm decides. */
  readonly jobs?: number;
  readonly weights?: string;
}

/** Threads of one run: a share of all, or what the runs that are there were begun with. A task of Slurm shares with none. */
function threadsOf(args: AblateArgs, io: Io): number {
  const all = countOf('threads', args.threads), before = findStudyFile(args.out)?.threads, slurm = args.executor === 'slurm', jobs = slurm ? 1 : args.jobs ?? 1;
  const share = Math.max(1, Math.floor((all ?? (slurm ? before ?? 1 : availableParallelism())) / jobs));
  if (before === undefined || before === share) return share;
  if (all !== undefined) throw new UserError(`${args.out} was begun with ${before} threads a run, and --threads ${all}${slurm ? '' : ` with --jobs ${jobs}`} is ${share}: the numbers would differ`, `Leave --threads out, or write --threads ${before * jobs}.`);
  io.err(`${before} threads a run, as ${args.out} was begun\n`);
  return before;
}

/** Tells the spec's mistakes as `openStudy`. Throws UserError and MisuseError. */
export async function openPlan(args: AblateArgs, io: Io): Promise<OpenedPlan> {
  const jobs = countOf('jobs', args.jobs) ?? (args.executor === 'slurm' ? undefined : 1), reading = readingOf(args);
  const spec = resolve(args.spec);
  const open = openStudy({ spec, ...(args.tasks === undefined ? {} : { tasks: args.tasks }) }, args.study, io, false);
  const names = open.study.rows.map((r) => r.name), rows = args.rows?.split(',').map((r) => r.trim());
  const unknown = rows?.find((r) => !names.includes(r));
  if (unknown !== undefined) throw new MisuseError(`--rows: study ${args.study} has no row ${unknown}`, suggestion(unknown, names));
  const share = threadsOf(args, io);
  const engine = await openEngine({ engine: args.engine, device: args.device, ...(args.threads === undefined ? {} : { threads: share }) }, io, share);
  const metric: Omit<StudyMetric, 'threshold'> = {
    dice: 'image', miou: miouOf(args.miou) ?? DEFAULT_MIOU, checkpoint: args.checkpoint === 'best' ? 'best' : 'last', at: args.at === 'original' ? 'original' : 'network',
  };
  const weights = args.weights === undefined || args.weights === 'random' ? args.weights : resolve(args.weights);
  const bar = barOf(io, 'planning {bar} {value}/{total} networks');
  try {
    const plan = await planStudy({
      study: open.study, codes: open.codes, programOf: open.programOf, dataOf: (program) => openData(program, args.data, io, reading), engine, progress: bar.update,
      ...(weights === undefined ? {} : { weights }),
      about: { spec, specText: open.texts.get(spec) ?? readFileSync(spec, 'utf8'), reading, metric, ...(open.published === undefined ? {} : { published: resolve(open.published.path) }) },
    });
    bar.stop();
    open.tellWarnings();
    const wanted = plan.runs.filter((r) => rows === undefined || rows.includes(r.row)), seeds = [...new Set(wanted.map((r) => r.seed))];
    return { plan, chosen: seeds.flatMap((seed) => wanted.filter((r) => r.seed === seed)), ...(jobs === undefined ? {} : { jobs }), ...(weights === undefined ? {} : { weights }) };
  } finally {
    bar.stop();
  }
}
