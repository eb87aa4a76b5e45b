// The training loop: epochs of batches, schedules, validation, checkpoints; stops and resumes to the same numbers.
// Draws nothing on a screen: whoever wants to, listens to the events.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { taskCodes, type Program, type TrainConfig } from '../../compiler/program.js';
import { trainBatches, type Dataset, type ImageCache, type TrainBatches } from '../data/index.js';
import type { Engine, Tensor } from '../engines/engine.js';
import { UserError } from '../errors.js';
import type { FeatureCache, FeatureUse } from '../features/cache.js';
import { writeJsonAtomically } from '../state/atomic.js';
import { hasCheckpoint, loadCheckpoint, saveCheckpoint, type CheckpointRecord, type Progress, type TrainState, type ValidationPoint } from '../state/checkpoint.js';
import { requireTensors, startingTensors, weightsIdentity, type WeightsReport } from '../state/weights.js';
import { openEvents, type EventValue, type RunEvents } from '../tensorboard/events.js';
import { gateValues, panelValues, shownItems } from '../tensorboard/panels.js';
import { makeEvaluator, type Evaluation, type Evaluator } from './evaluator.js';
import type { Frozen } from './export-metadata.js';
import { frozenValues } from './frozen-int8.js';
import { gapsOf, type Gaps } from './gaps.js';
import type { GrowthStart } from './grow.js';
import type { Growth } from './growth.js';
import { imageInput } from './image-input.js';
import { pausedTasks, taskValues } from './improvement.js';
import { lockRun, type Lock } from './lock.js';
import { openLog, readLog, type LogLine, type RunLog } from './log.js';
import { priceWithin } from './memory.js';
import { engineIdentity, hashOf, openRun, requireSame, writeRun, type Reading, type RunIdentity, type RunPaths } from './run-directory.js';
import { scheduleValue } from './schedules.js';
import { freshState, makeStepper, type Stepper, type StepScalars } from './step.js';

export interface TrainOptions {
  readonly program: Program;
  readonly engine: Engine;
  readonly dataset: Dataset;
  readonly cache: ImageCache;
  /** Keeps the features of the frozen part; changes no number. */
  readonly features?: FeatureCache;
  /** The run directory. */
  readonly out: string;
  readonly seed: number;
  /** Stops after this step since the beginning of the training; changes no number. */
  readonly maxSteps?: number;
  /** Goes on with the run in `out`; where there is none yet, begins it. */
  readonly resume?: boolean;
  /** A run directory, a .safetensors file, or `random`. */
  readonly weights?: string;
  /** `int8`: the frozen linear layers' forward products in int8, here and in the validation. Absent: as the run in `out` was begun. */
  readonly frozen?: Frozen;
  /** A task that is added to a trained run (`grow.ts`), in place of `weights`: how the training begins, and what of it stays. */
  readonly growth?: Growth & { readonly begin: () => GrowthStart };
  /** Aborted: the step under way is finished, a checkpoint is saved, and `train` returns. */
  readonly signal?: AbortSignal;
  /**
   * A checkpoint is saved at each end of an epoch, and within one when this much has passed since the last: by default 60 s, or longer
   * where saving is slow, so that it takes at most a twentieth of the time.
   */
  readonly checkpointEvery?: { readonly seconds?: number; readonly steps?: number };
  readonly onEvent?: (event: TrainEvent) => void;
  /** A folder for events that TensorBoard reads; changes no number. */
  readonly tensorboard?: string;
  /** Bytes within which the process is to stay, by computing again what a step would keep. A resumed run keeps to what it began with. */
  readonly memoryLimit?: number;
  /** For run.json only. */
  readonly command?: string;
  readonly reading?: Reading;
  readonly versions?: Readonly<Record<string, string>>;
  readonly machine?: string;
}

export type TrainEvent =
  | { readonly kind: 'start'; readonly step: number; readonly steps: number; readonly epochs: number; readonly images: number; readonly weights?: WeightsReport; readonly gaps: Gaps; readonly frozen?: Stepper['frozen'] & { readonly place?: string } }
  | { readonly kind: 'step'; readonly step: number; readonly steps: number; readonly epoch: number; readonly loss: number; readonly lr: number }
  | { readonly kind: 'validation'; readonly epoch: number; readonly evaluation: Evaluation; readonly trainLoss: number; readonly best: boolean }
  | { readonly kind: 'checkpoint'; readonly name: 'last' | 'best'; readonly step: number };

export interface RunSummary {
  readonly out: string;
  /** `finished`: all epochs done. */
  readonly stopped: 'finished' | 'max-steps' | 'interrupted';
  readonly steps: number;
  readonly epochs: number;
  /** In this sitting, as are the seconds. */
  readonly imagesSeen: number;
  readonly seconds: number;
  /** The step at which this sitting began, where it was not the first. */
  readonly since?: number;
  /** By the metric that the spec keeps (`loss` with its sign turned). */
  readonly best?: ValidationPoint;
  /** Of the last validation in this sitting. */
  readonly scores?: Evaluation['scores'];
  /** What keeping features has done in this sitting, where there was anything to keep. */
  readonly features?: FeatureUse;
}

/**
 * Trains `program` into the run directory `out`. Throws UserError where the run cannot begin (no train block, weights missing, another
 * run in `out`, a lock) or diverges; what was saved before stays readable.
 */
export async function train(options: TrainOptions): Promise<RunSummary> {
  const { program, engine } = options, { training } = program;
  if (training === undefined) throw new UserError(`${program.file} has no train block`, 'Add `train NAME of MODEL { … }`, or name one with --block.');
  const began = Date.now();
  const { paths, before } = openRun(options.out, options.resume === true);
  const lock = lockRun(paths.root);
  const closing: (() => unknown)[] = [() => lock.release()];
  try {
    const saved = before !== undefined && hasCheckpoint(paths.checkpoints, 'last') ? loadCheckpoint(paths.checkpoints, 'last') : undefined;
    const { growth } = options;
    const weights = options.weights ?? before?.weights;
    const grown = saved === undefined ? growth?.begin() : undefined;
    const start = saved === undefined ? grown ?? startingTensors(program, options.seed, weights) : undefined;
    const { height, width } = imageInput(program);
    const batches = trainBatches(options.dataset, 'train', {
      batch: training.batch, sampler: training.sampler.kind, augment: training.augment, size: { height, width }, oneTaskPerBatch: training.oneTaskPerBatch,
      dropLast: training.dropLast, seed: options.seed, cache: options.cache, ...(program.tasks === undefined ? {} : { codes: taskCodes(program) }),
    });
    const price = options.memoryLimit === undefined ? before?.identity.price : priceWithin(program, training, options.memoryLimit);
    const identity: RunIdentity = {
      program: program.hash, seed: options.seed, data: options.dataset.fingerprint, engine: engineIdentity(engine), threads: engine.threads,
      weights: start?.identity ?? weightsIdentity(growth?.from ?? options.weights) ?? before?.identity.weights ?? 'init',
      ...(growth === undefined ? {} : { added: growth.task }), ...(price === undefined ? {} : { price }), ...((options.frozen ?? before?.identity.frozen) === 'int8' ? { frozen: 'int8' } : {}),
    };
    if (before !== undefined) requireSame(paths.root, before.identity, identity);
    if (saved !== undefined) requireTensors(program, saved.state.tensors, paths.checkpoints);
    const tensors = saved?.state.tensors ?? start?.tensors ?? new Map<string, Tensor>(), int8 = identity.frozen === undefined ? undefined : frozenValues(program, engine, tensors);
    if (before === undefined) writeRun(paths, program, recordOf(options, training, identity));

    const stepper = await makeStepper(program, training, engine, {
      ...(growth === undefined ? {} : { tables: growth.tables }), ...(options.features === undefined ? {} : { cache: options.features }),
      ...(int8 === undefined ? {} : { int8 }), ...(price === undefined ? {} : { recomputation: { price, batch: training.batch } }),
    });
    closing.push(() => stepper.dispose());
    const evaluator = options.dataset.items.some((i) => i.split === 'val') ? await makeEvaluator(program, training, engine, options.features, int8) : undefined;
    closing.push(() => evaluator?.dispose());
    const log = openLog(paths.log, saved?.record.logBytes ?? 0);
    closing.push(() => log.close());
    const events = options.tensorboard === undefined ? undefined : openEvents(options.tensorboard, readLog(paths.log));
    closing.push(() => events?.close());
    const trainedTasks = growth === undefined ? undefined : [growth.task];
    const held = pickValues(growth?.held ?? [], saved?.record.schedules ?? grown?.schedules ?? {});
    const run = new Run(options, training, hashOf(identity), paths, { stepper, evaluator, log, events, batches, held, lock }, saved?.state ?? freshState(tensors, stepper, trainedTasks ?? taskCodes(program)), saved?.record);
    options.onEvent?.({ kind: 'start', step: run.progress.step, steps: run.steps, epochs: training.epochs, images: batches.images, weights: start?.report, gaps: gapsOf(program, options.dataset, trainedTasks), ...(stepper.frozen === undefined ? {} : { frozen: { ...stepper.frozen, ...(options.features === undefined ? {} : { place: options.features.shelves.place }) } }) });
    const from = run.progress;
    const stopped = await run.go();
    const summary: RunSummary = {
      out: options.out, stopped, steps: run.progress.step, epochs: run.progress.epoch, imagesSeen: run.imagesSeen, seconds: (Date.now() - began) / 1000, ...(from.step === 0 ? {} : { since: from.step }),
      best: run.progress.best, scores: run.scores, ...(options.features === undefined || options.features.use.images === 0 ? {} : { features: options.features.use }),
    };
    // Resuming what is done already leaves the summary of the sitting that did it.
    if (run.progress !== from || !existsSync(paths.summary)) writeJsonAtomically(paths.summary, summary);
    return summary;
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

interface Parts {
  readonly stepper: Stepper;
  readonly evaluator: Evaluator | undefined;
  readonly log: RunLog;
  readonly events: RunEvents | undefined;
  readonly batches: TrainBatches;
  /** Schedules that stay at a value. */
  readonly held: Readonly<Record<string, number>>;
  /** Asked before anything is written. */
  readonly lock: Pick<Lock, 'check'>;
}

/** A training under way: where it stands, and what moves it on. */
class Run {
  progress: Progress;
  scores: Evaluation['scores'] | undefined;
  imagesSeen = 0;
  readonly steps: number;
  private savedAt = Date.now();
  private savedStep: number;
  private savingSeconds = 0;
  /** Values of the schedules and `lr` in the last step. */
  private values: Readonly<Record<string, number>>;

  constructor(private readonly options: TrainOptions, private readonly training: TrainConfig, private readonly hash: string, private readonly paths: RunPaths,
    private readonly parts: Parts, private readonly state: TrainState, saved: CheckpointRecord | undefined) {
    this.progress = saved?.progress ?? { epoch: 0, position: 0, step: 0, lossSum: 0, history: [] };
    this.steps = training.epochs * parts.batches.stepsPerEpoch;
    this.savedStep = this.progress.step;
    this.values = saved?.schedules ?? this.valuesNow();
  }

  async go(): Promise<RunSummary['stopped']> {
    const { signal, maxSteps = Infinity } = this.options, { epochs } = this.training, perEpoch = this.parts.batches.stepsPerEpoch;
    while (this.progress.epoch < epochs && signal?.aborted !== true) {
      if (this.progress.position >= perEpoch) await this.endEpoch();
      else if (this.progress.step >= maxSteps) break;
      else await this.someSteps(maxSteps);
    }
    if (this.savedStep !== this.progress.step || !hasCheckpoint(this.paths.checkpoints, 'last')) this.save('last');
    return this.progress.epoch >= epochs ? 'finished' : signal?.aborted === true ? 'interrupted' : 'max-steps';
  }

  /** Steps up to the end of the epoch, or to where the training is to stop. */
  private async someSteps(maxSteps: number): Promise<void> {
    for await (const batch of this.parts.batches.epoch(this.progress.epoch, this.progress.position)) {
      this.values = this.valuesNow();
      const { lr = 0, ...schedules } = this.values, { epoch, step } = this.progress;
      const { loss, gradNorm } = await this.parts.stepper.run(this.state, batch, { lr, schedules, seed: this.options.seed, step, ...this.paused() });
      if (!Number.isFinite(loss) || (gradNorm !== undefined && !Number.isFinite(gradNorm))) {
        throw this.diverged(`the ${Number.isFinite(loss) ? 'gradient' : 'loss'} of step ${step + 1} (epoch ${epoch + 1}) is ${Number.isFinite(loss) ? gradNorm : loss}, on ${batch.items.map((i) => i.image).join(', ')}`);
      }
      this.progress = { ...this.progress, position: this.progress.position + 1, step: step + 1, lossSum: this.progress.lossSum + loss };
      this.imagesSeen += batch.items.length;
      this.append({ kind: 'step', step: step + 1, epoch: epoch + 1, loss, lr, ...(gradNorm === undefined ? {} : { gradNorm }) });
      this.options.onEvent?.({ kind: 'step', step: step + 1, steps: this.steps, epoch: epoch + 1, loss, lr });
      // Lets timers and signals through: an engine may keep this thread while it runs.
      await new Promise(setImmediate);
      if (this.options.signal?.aborted === true || this.progress.step >= maxSteps) return;
      if (this.due()) this.save('last');
    }
  }

  private async endEpoch(): Promise<void> {
    const { epoch, step, position, lossSum } = this.progress, { epochs, validate, afterImprovement } = this.training;
    let { history, best } = this.progress, isBest = false;
    if (this.parts.evaluator !== undefined && ((epoch + 1) % validate.every === 0 || epoch + 1 === epochs)) {
      const { lr: _, ...schedules } = this.values;
      const { dataset, cache, signal } = this.options, { events } = this.parts;
      const evaluation = await this.parts.evaluator.run({ tensors: this.state.tensors, schedules, dataset, split: 'val', cache, stop: () => signal?.aborted === true, ...(events === undefined ? {} : { keep: shownItems(dataset) }) });
      if (evaluation === undefined) return;
      const { scores: { average, perTask }, loss } = evaluation;
      const point = { epoch: epoch + 1, step, value: validate.keep === 'loss' ? -loss : average[validate.keep], ...(afterImprovement === undefined ? {} : { perTask: taskValues(evaluation, validate.keep) }) };
      if (!Number.isFinite(point.value)) throw this.diverged(`the ${validate.keep} of the validation after epoch ${epoch + 1} is ${point.value}`);
      isBest = best === undefined || point.value > best.value;
      history = [...history, point];
      if (isBest) best = point;
      this.scores = evaluation.scores;
      const trainLoss = lossSum / position;
      const shown = events === undefined ? [] : [...await panelValues(dataset.root, evaluation.kept), ...await gateValues(this.options.program, { tensors: this.state.tensors, schedules })];
      this.append({ kind: 'validation', epoch: epoch + 1, step, trainLoss, loss, dice: average.dice, miou: average.miou, perTask, schedules: this.values }, shown);
      this.options.onEvent?.({ kind: 'validation', epoch: epoch + 1, evaluation, trainLoss, best: isBest });
    }
    this.progress = { epoch: epoch + 1, position: 0, step, lossSum: 0, history, ...(best === undefined ? {} : { best }) };
    if (isBest) this.save('best');
    this.save('last');
  }

  /** The log first: events follow it, also when a run is resumed. */
  private append(line: LogLine, more?: readonly EventValue[]): void {
    this.parts.lock.check();
    this.parts.log.append(line);
    this.parts.events?.append(line, more);
  }

  /** Whose tensors wait for an improvement in this epoch. */
  private paused(): Pick<StepScalars, 'paused'> {
    return this.training.afterImprovement === undefined ? {} : { paused: pausedTasks(this.progress.history, taskCodes(this.options.program)) };
  }

  private valuesNow(): Readonly<Record<string, number>> {
    const { epoch, step, history } = this.progress;
    const place = { epoch, step, epochs: this.training.epochs, stepsPerEpoch: this.parts.batches.stepsPerEpoch, history: history.map((p) => p.value) };
    const named = this.options.program.schedules.map((s) => [s.name, this.parts.held[s.name] ?? scheduleValue(s, place)] as const);
    return Object.fromEntries([...named, ['lr', scheduleValue(this.training.optimizer.lr, place)]]);
  }

  private due(): boolean {
    const { seconds = Math.max(60, 20 * this.savingSeconds), steps = Infinity } = this.options.checkpointEvery ?? {};
    return this.progress.step - this.savedStep >= steps || Date.now() - this.savedAt >= seconds * 1000;
  }

  private save(name: 'last' | 'best'): void {
    this.parts.lock.check();
    const began = Date.now();
    for (const [path, { data }] of this.state.tensors) {
      if (data instanceof Float32Array && !data.every(Number.isFinite)) throw this.diverged(`${path} is no longer finite after step ${this.progress.step}`);
    }
    saveCheckpoint(this.paths.checkpoints, name, this.state, {
      program: this.options.program.hash, run: this.hash, seed: this.options.seed, progress: this.progress, schedules: this.values, logBytes: this.parts.log.sync(),
    });
    if (name === 'last') [this.savedAt, this.savedStep, this.savingSeconds] = [Date.now(), this.progress.step, (Date.now() - began) / 1000];
    this.options.onEvent?.({ kind: 'checkpoint', name, step: this.progress.step });
  }

  private diverged(what: string): UserError {
    return new UserError(`the training diverged: ${what}`, `${this.paths.root} keeps its checkpoint of step ${this.savedStep}. Try a lower learning rate, a warm-up, or clip = 1.0.`);
  }
}

const pickValues = (names: readonly string[], values: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(names.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])));

function recordOf(options: TrainOptions, training: TrainConfig, identity: RunIdentity): Parameters<typeof writeRun>[2] {
  const { program, weights, growth, reading, versions = {}, machine, command } = options;
  return {
    format: 1, hash: hashOf(identity), identity, name: program.name, block: training.name, variant: program.variant, variantLabel: program.variantLabel, file: program.file, tasks: taskCodes(program),
    reading, weights: weights === undefined || weights === 'random' ? weights : resolve(weights),
    ...(growth === undefined ? {} : { added: { task: growth.task, from: resolve(growth.from), parameters: growth.parameters } }), versions, dataFolder: resolve(options.dataset.root), machine, command, started: new Date().toISOString(),
  };
}
