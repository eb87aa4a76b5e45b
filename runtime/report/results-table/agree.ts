// What all runs of a table must have in common, so that its numbers mean the same: data, masks, budget, metric. Only refuses.
import { UserError } from '../../errors.js';
import { shortHash } from '../../train/run-directory.js';
import { runName, type Choice, type ScoredRun } from './runs.js';

/** What a run's network says of how it is scored; absent where its spec can no longer be compiled. */
export interface ScoringRule {
  readonly threshold: number;
  /** `every 4 epochs, the best by dice is kept` */
  readonly validation: string;
}

/** `12 epochs (A1-0, A2-0), 30 steps (A3-0)`; '' where all agree. */
function differing(runs: readonly ScoredRun[], of: (run: ScoredRun) => string | undefined): string {
  const found = new Map<string, string[]>();
  for (const run of runs) {
    const value = of(run);
    if (value !== undefined) found.set(value, [...(found.get(value) ?? []), runName(run)]);
  }
  if (found.size < 2) return '';
  return [...found].map(([value, names]) => `${shortHash(value)} (${names.slice(0, 3).join(', ')}${names.length > 3 ? `, ${names.length - 3} more` : ''})`).join(', ');
}

/** Throws a UserError that names all that differs. */
export function requireComparable(runs: readonly ScoredRun[], choice: Choice, ruleOf: (run: ScoredRun) => ScoringRule | undefined): void {
  const differences: string[] = [];
  const check = (what: string, among: readonly ScoredRun[], of: (run: ScoredRun) => string | undefined): void => {
    const values = differing(among, of);
    if (values !== '') differences.push(`the ${what}: ${values}`);
  };
  // the fingerprint is of the tasks that a run has
  for (const tasks of new Set(runs.map((r) => r.record.tasks.join()))) {
    const alike = runs.filter((r) => r.record.tasks.join() === tasks);
    check('data that they were trained on', alike, (r) => r.record.identity.data);
    check('data that they were scored on', alike, (r) => r.data);
  }
  check('budget', runs, (r) => r.budget);
  check('threshold', runs, (r) => ruleOf(r)?.threshold.toString());
  if (choice.checkpoint === 'best') check('rule by which the best checkpoint was kept', runs, (r) => ruleOf(r)?.validation);
  if (differences.length === 0) differences.push(...differentImages(runs));
  if (differences.length > 0) throw new UserError(`these runs cannot stand in one table. Different: ${differences.join('; ')}`, 'Make a table of those that agree, or train or evaluate the others alike.');
}

/** Images and their masks, as the counts tell them: a difference between the first run that has a task and another. */
function differentImages(runs: readonly ScoredRun[]): readonly string[] {
  const known = new Map<string, { readonly run: ScoredRun; readonly images: ReadonlyMap<string, { readonly lesion: number; readonly pixels: number }> }>();
  for (const run of runs) {
    const tasks = new Map<string, Map<string, { readonly lesion: number; readonly pixels: number }>>();
    for (const { task, image, tp, fp, fn, tn } of run.counts) {
      const images = tasks.get(task) ?? new Map<string, { readonly lesion: number; readonly pixels: number }>();
      tasks.set(task, images.set(image, { lesion: tp + fn, pixels: tp + fp + fn + tn }));
    }
    for (const [task, images] of tasks) {
      const before = known.get(task);
      if (before === undefined) { known.set(task, { run, images }); continue; }
      const pair = `${runName(before.run)} and ${runName(run)}`;
      if (images.size !== before.images.size) return [`the images of ${task}: ${before.images.size} and ${images.size} (${pair})`];
      for (const [image, { lesion, pixels }] of images) {
        const other = before.images.get(image);
        if (other === undefined) return [`the images of ${task}: only one of ${pair} has ${image}`];
        if (other.pixels !== pixels) return [`the size at which masks are compared: ${other.pixels} and ${pixels} pixels of ${image} (${pair}); \`tpsc eval --at original\` scores both at the image's own`];
        if (other.lesion !== lesion) return [`the mask of ${image} (${pair})`];
      }
    }
  }
  return [];
}
