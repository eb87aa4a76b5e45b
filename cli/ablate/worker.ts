// `tpsc ablate --run NAME`: one run of a study in this process, by what study.json and runs.json say of it. The runner starts one a run; so may a person or a batch system.
import { eventsFolder, readRunEntries, readStudyFile, studyPaths } from '../../runtime/ablate/layout.js';
import { recordFailure } from '../../runtime/ablate/scan.js';
import { workOn, type Work, type WorkOutcome } from '../../runtime/ablate/work.js';
import { UserError } from '../../runtime/errors.js';
import { openFeatures, type FeatureCache } from '../../runtime/features/cache.js';
import { distrustText, featuresText, TrainingTale } from '../../runtime/report/training.js';
import { holderLives } from '../../runtime/train/lock.js';
import { toolVersion } from '../host.js';
import type { Io } from '../io.js';
import { SpecFaults } from '../program.js';
import { machineText, openData, openEngine, versionsOf } from '../session.js';
import { openStudy } from '../study.js';
import { featuresSetting } from './features.js';
import type { WorkerMessage } from './messages.js';

export interface WorkerArgs {
  readonly out: string;
  readonly run: string;
  readonly data: string;
  readonly weights?: string;
  readonly engine: string;
  readonly device: string;
  readonly cache?: string;
  readonly tensorboard: boolean;
  /** As a person would type it. */
  readonly command: string;
}

/** Milliseconds between two steps that are told. */
const STEP_EVERY = 200;

/** Gives the exit code: 0, or 130 where it was stopped and saved. Throws UserError; the reason is kept in the study's folder. */
export async function runWorker(args: WorkerArgs, io: Io): Promise<number> {
  const { out, run } = args, study = readStudyFile(out), entry = readRunEntries(out).find((e) => e.run === run);
  if (entry === undefined) throw new UserError(`${out} has no run ${run}`, 'Its runs.json lists them; `tpsc ablate` with the study and the data writes it.');
  const tell = (message: WorkerMessage): void => io.parent?.tell(message);
  const stop = new AbortController(), halt = (): void => stop.abort();
  const ends = [io.onInterrupt(halt), ...(io.parent === undefined ? [] : [io.parent.onGone(halt)])];
  let features: FeatureCache | undefined;
  const finish = (outcome: WorkOutcome): number => {
    const use = features === undefined || features.use.images === 0 ? undefined : features.use;
    if (features?.distrusted === true) io.err(`${distrustText(features.shelves.place)}\n`);
    io.err(`${use === undefined ? '' : `${featuresText(use)}\n`}${outcome}: ${run}\n`);
    tell({ kind: 'end', outcome, ...(use === undefined ? {} : { features: use }) });
    return outcome === 'stopped' ? 130 : 0;
  };
  try {
    features = openFeatures(featuresSetting(out, args.cache), toolVersion);
    const open = openStudy({ spec: study.spec }, study.study, io, false);
    const row = open.study.rows.find((r) => r.name === entry.row);
    if (row === undefined) throw new UserError(`study ${study.study} of ${study.spec} no longer has a row ${entry.row}`, 'Start `tpsc ablate` again: it plans anew.');
    if (stop.signal.aborted) return finish('stopped');
    const program = open.programOf(row, entry.tasks);
    const engine = await openEngine({ ...args, threads: study.threads }, io);
    const dataset = await openData(program, args.data, io, study.reading, study.data);
    if (stop.signal.aborted) return finish('stopped');
    const tale = new TrainingTale(io.colour);
    let told = 0;
    const work: Work = {
      root: out, study, run, seed: entry.seed, program, engine, dataset, signal: stop.signal, command: args.command,
      versions: versionsOf(engine), machine: machineText(), ...(args.tensorboard ? { tensorboard: eventsFolder(out, entry, study.tasks) } : {}), ...(features === undefined ? {} : { features }), ...(args.weights === undefined ? {} : { weights: args.weights }),
      onEvent: (e) => {
        switch (e.kind) {
          case 'start': return io.err(`${tale.start(e)}\n`);
          case 'step': {
            const note = tale.step(e);
            if (tale.endsEpoch(e)) io.err(`${e.step}/${e.steps}  ${note}\n`);
            if (performance.now() - told < STEP_EVERY && e.step < e.steps) return;
            told = performance.now();
            return tell({ kind: 'step', step: e.step, steps: e.steps, epoch: e.epoch, loss: e.loss });
          }
          case 'validation':
            io.err(`${tale.validation(e)}\n`);
            return tell({ kind: 'validation', epoch: e.epoch, dice: e.evaluation.scores.average.dice });
          case 'checkpoint': return undefined;
        }
      },
    };
    let outcome = await workOn(work);
    // a runner comes back to what it left to others; a batch system does not
    while (outcome === 'taken' && io.parent === undefined) {
      io.err(`${run} is locked: waiting for a sign of life of its process\n`);
      if (await holderLives(studyPaths(out).lock(run), stop.signal)) break;
      outcome = await workOn(work);
    }
    return finish(outcome);
  } catch (error) {
    // a run that failed by itself has said so; this is for what went wrong before it began
    recordFailure(out, run, error instanceof SpecFaults ? `the spec has mistakes: \`tpsc check ${study.spec}\` tells them` : error instanceof Error ? error.message : String(error));
    tell({ kind: 'end', outcome: 'failed' });
    throw error;
  } finally {
    for (const end of ends) end();
  }
}
