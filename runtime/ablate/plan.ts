// From a study to its runs: each with the identity that names its folder, its steps and its cost. Compiles and reads data through what is passed in; runs nothing.
import { taskCodes, type Program, type TrainConfig } from '../../compiler/program.js';
import { chosenTasks, networkKey, runsOf, type Study, type StudyRow } from '../../compiler/study.js';
import { makeCache, trainBatches, type Dataset } from '../data/index.js';
import type { Engine } from '../engines/engine.js';
import { UserError } from '../errors.js';
import { GroupCounter, type Counts } from '../report/group-counts.js';
import { weightsIdentity } from '../state/weights.js';
import { imageInput } from '../train/image-input.js';
import { engineIdentity, hashOf } from '../train/run-directory.js';
import type { StudyFile } from './layout.js';
import type { RunPlace } from './scan.js';

export interface PlannedRun extends RunPlace {
  readonly label: string;
  /** Of one network. */
  readonly counts: Counts;
  /** Multiply-adds of the forward passes that its training asks for: what runs are compared by. A backward pass goes on top, by how much is frozen. */
  readonly work: number;
}

export interface Plan {
  readonly study: StudyFile;
  /** Rows before tasks before seeds; rows of one network name one run. */
  readonly runs: readonly PlannedRun[];
}

export interface PlanRequest {
  readonly study: Study;
  /** Tasks of the spec that are kept. */
  readonly codes: readonly string[];
  readonly programOf: (row: StudyRow, tasks: readonly string[]) => Program;
  readonly dataOf: (program: Program) => Promise<Dataset>;
  readonly engine: Engine;
  readonly weights?: string;
  readonly about: Pick<StudyFile, 'spec' | 'specText' | 'reading' | 'published'> & { readonly metric: Omit<StudyFile['metric'], 'threshold'> };
  readonly progress?: (done: number, total: number) => void;
}

/** What is kept of a program: fifteen of them at once are a gigabyte. */
interface Network { readonly hash: string; readonly counts: Counts; readonly training: TrainConfig; readonly data: Dataset; readonly stepsPerEpoch: number }

/** Throws what `programOf` and `dataOf` throw, and UserError where the study trains nothing, the data hold no validation images, or rows are scored unlike. */
export async function planStudy(request: PlanRequest): Promise<Plan> {
  const { study, codes, engine, weights, about } = request, asked = runsOf(study, codes), [first] = asked;
  if (first === undefined) throw new UserError(`study ${study.name} asks for no run`, 'Give it rows and seeds.');
  const identity = weightsIdentity(weights) ?? 'init';
  const tasks = chosenTasks(study.tasks, codes), networks = new Map<string, Network>(), data = new Map<string, Dataset>();
  const read = async (program: Program): Promise<Dataset> => {
    const key = taskCodes(program).join(), known = data.get(key) ?? await request.dataOf(program);
    data.set(key, known);
    if (!known.items.some((i) => i.split === 'val')) throw new UserError(`${known.root} has no validation image${key === '' ? '' : ` of ${key}`}, so no run could be scored`, 'Mend the split column of manifest.csv, or give --split-rule ratio:0.2.');
    return known;
  };
  const wanted = new Map(asked.map(({ row, tasks: kept }) => [networkKey(row, kept), { row, kept }]));
  for (const [key, { row, kept }] of wanted) {
    request.progress?.(networks.size, wanted.size);
    const program = request.programOf(row, kept);
    if (program.training === undefined) throw new UserError(`row ${row.name} has no train block`, 'A row is a train block or a variant of one.');
    networks.set(key, { hash: program.hash, counts: new GroupCounter(program).count(['*']), training: program.training, ...stepsOf(program, program.training, await read(program)) });
  }
  const network = (row: StudyRow, kept: readonly string[]): Network => {
    const found = networks.get(networkKey(row, kept));
    if (found === undefined) throw new Error(`row ${row.name} was not compiled`);
    return found;
  };
  const { threshold } = network(first.row, first.tasks).training;
  const other = asked.find(({ row, tasks: kept }) => network(row, kept).training.threshold !== threshold);
  if (other !== undefined) throw new UserError(`rows ${first.row.name} and ${other.row.name} are cut at different thresholds, ${threshold} and ${network(other.row, other.tasks).training.threshold}`, 'Numbers of one table need one metric: make two studies of them.');

  const runs = asked.map(({ row, tasks: kept, seed }): PlannedRun => {
    const { hash, counts, training, data: { fingerprint }, stepsPerEpoch } = network(row, kept);
    const run = hashOf({ program: hash, seed, data: fingerprint, engine: engineIdentity(engine), threads: engine.threads, weights: identity }).slice(0, 16);
    const steps = Math.min(training.epochs * stepsPerEpoch, study.budget.steps ?? Infinity);
    return { row: row.name, label: row.label, tasks: kept, seed, run, steps, counts, work: counts.macs * steps * training.batch };
  });
  const whole = data.get(tasks.join()) ?? await request.dataOf(request.programOf(first.row, tasks));
  return {
    runs, study: {
      format: 1, study: study.name, ...(study.label === undefined ? {} : { label: study.label }), spec: about.spec, specText: about.specText, block: study.of,
      rows: study.rows.map((row) => ({
        name: row.name, label: row.label, baseline: row.name === study.baseline, ...(row.variant === undefined ? {} : { variant: row.variant }), set: row.set,
        program: network(row, asked.find((r) => r.row === row)?.tasks ?? tasks).hash, repeat: row.repeat,
      })),
      seeds: study.seeds, tasks, budget: study.budget, data: whole.fingerprint, reading: about.reading, metric: { ...about.metric, threshold },
      ...(about.published === undefined ? {} : { published: about.published }), engine: engineIdentity(engine), threads: engine.threads,
      weights: { ...(weights === undefined ? {} : { source: weights }), identity },
    },
  };
}

function stepsOf(program: Program, training: TrainConfig, data: Dataset): { readonly data: Dataset; readonly stepsPerEpoch: number } {
  const { height, width } = imageInput(program);
  const { stepsPerEpoch } = trainBatches(data, 'train', {
    batch: training.batch, sampler: training.sampler.kind, augment: training.augment, size: { height, width }, oneTaskPerBatch: training.oneTaskPerBatch, dropLast: training.dropLast, seed: 0,
    cache: makeCache(),
  });
  return { data, stepsPerEpoch };
}
