// Folders as `train`, `eval` and `ablate` leave them, made by writing files: nothing is trained.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compileSpec } from '../../compiler/index.js';
import { taskCodes, type Program } from '../../compiler/program.js';
import { diskHost } from '../../cli/host.js';
import type { StudyFile } from '../../runtime/ablate/layout.js';
import { streamOf } from '../../runtime/random.js';

export function write(root: string, path: string, content: unknown): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
}

export const programOf = (file: string, over: { readonly variant?: string; readonly tasks?: readonly string[]; readonly set?: Readonly<Record<string, string>> } = {}): Program => {
  const { program, diagnostics } = compileSpec({ file, ...over }, diskHost());
  if (program === undefined) throw new Error(JSON.stringify(diagnostics));
  return program;
};

export interface MadeRun {
  readonly program: Program;
  readonly seed: number;
  /** Chance of a right pixel: what makes one row better than another. */
  readonly skill: number;
  readonly seconds?: number;
  readonly checkpoint?: string;
  readonly data?: string;
  readonly budget?: { readonly stopped: string; readonly epochs: number; readonly steps: number };
  /** Of each image. */
  readonly pixels?: number;
  readonly evaluated?: boolean;
}

const IMAGES = 12;

/** Counts of made-up masks: every run has the same lesions, and errors of its own. */
export function countsOf({ program, seed, skill, pixels = 1024 }: MadeRun): string {
  const lines = taskCodes(program).flatMap((task) => Array.from({ length: IMAGES }, (_, i) => {
    const lesion = 100 + streamOf(0, `lesion/${task}/${i}`).int(200), stream = streamOf(seed, `${program.hash}/${task}/${i}`);
    const tp = Math.round(lesion * Math.min(1, skill + 0.1 * (stream.next() - 0.5))), fp = Math.round(0.3 * lesion * (1 - skill) * stream.next());
    return [task, `${task.toLowerCase()}/${i}.png`, tp, fp, lesion - tp, pixels - lesion - fp].join(',');
  }));
  return ['task,image,tp,fp,fn,tn', ...lines, ''].join('\n');
}

/** A run directory, without its checkpoints. */
export function writeRun(folder: string, made: MadeRun): void {
  const { program, seed, seconds = 60, checkpoint = 'last', budget = { stopped: 'finished', epochs: 2, steps: 8 } } = made;
  const tasks = taskCodes(program), data = made.data ?? `data of ${tasks.join()}`;
  write(folder, 'spec.tps', program.resolved);
  write(folder, 'run.json', {
    format: 1, hash: `${program.hash}${seed}`, identity: { program: program.hash, seed, data, engine: 'ort', threads: 1, weights: 'init' }, name: program.name, block: program.training?.name, file: program.file, tasks,
    ...(program.variant === undefined ? {} : { variant: program.variant, variantLabel: program.variantLabel }), versions: {}, started: '2026-01-01T00:00:00.000Z',
  });
  write(folder, 'summary.json', { out: folder, imagesSeen: 1, seconds, ...budget });
  if (made.evaluated === false) return;
  write(folder, `eval/val-${checkpoint}.csv`, countsOf(made));
  write(folder, `eval/val-${checkpoint}.json`, { checkpoint, split: 'val', data });
}

export interface MadeStudy extends Pick<StudyFile, 'study' | 'spec' | 'specText' | 'rows' | 'tasks' | 'seeds' | 'label'> {
  readonly published?: string;
  readonly runs: readonly { readonly row: string; readonly made?: MadeRun; readonly state?: string; readonly reason?: string; readonly seed?: number }[];
}

/** A folder of `tpsc ablate`. */
export function writeStudy(root: string, { runs, ...study }: MadeStudy): void {
  write(root, 'study.json', {
    format: 1, block: 'main', budget: {}, data: 'data', reading: {}, metric: { dice: 'image', miou: 'dataset-both', threshold: 0.5, checkpoint: 'last', at: 'network' }, engine: 'ort', threads: 1, weights: { identity: 'init' }, ...study,
  });
  const entries = runs.map(({ row, made, state = 'done', reason, seed }, i) => {
    const run = i.toString(16).padStart(16, '0');
    if (made !== undefined) writeRun(join(root, 'runs', run), made);
    return { row, tasks: made === undefined ? study.tasks : taskCodes(made.program), seed: made?.seed ?? seed, run, state, ...(reason === undefined ? {} : { reason }), ...(made === undefined ? {} : { seconds: made.seconds ?? 60 }), step: 8, steps: 8 };
  });
  write(root, 'runs.json', entries);
}
