// What a training says while it runs: one note for the bar, one line for an epoch, for a validation, for its end. Draws nothing.
import type { TrainConfig } from '../../compiler/program.js';
import type { Gaps } from '../train/gaps.js';
import { hasMemory } from '../engines/device.js';
import type { Engine } from '../engines/engine.js';
import type { FeatureUse } from '../features/cache.js';
import type { RunSummary, TrainEvent } from '../train/loop.js';
import { paint } from './colour.js';
import { bytes, duration, grouped, plural, score, significant } from './numbers.js';

const METRICS = { dice: 'Dice', miou: 'mIoU', loss: 'loss' } as const;

type EventOf<K extends TrainEvent['kind']> = Extract<TrainEvent, { readonly kind: K }>;

/** Follows the events of one training; `now` in seconds. */
export class TrainingTale {
  private began = 0;
  private firstStep = 0;
  private epochs = 0;
  private perEpoch = 1;
  private epoch = 0;
  private losses: number[] = [];
  private dice: number | undefined;

  constructor(private readonly colour: boolean, private readonly now: () => number = () => performance.now() / 1000) {}

  start(e: EventOf<'start'>): string {
    [this.began, this.firstStep, this.epochs] = [this.now(), e.step, e.epochs];
    this.perEpoch = Math.max(1, Math.round(e.steps / e.epochs));
    const from = e.step > 0 ? `, going on at step ${grouped(e.step)}` : '';
    const taken = e.weights === undefined ? '' : `\n${e.weights.taken.length} tensors from ${e.weights.file}${e.weights.missing.length > 0 ? `, ${e.weights.missing.length} begin anew` : ''}`;
    const frozen = e.frozen === undefined ? '' : `\nfrozen part: ${Math.round(100 * e.frozen.share)} % of a step's multiply-adds, its features ${bytes(e.frozen.bytes)} an image, ${e.frozen.place === undefined ? 'computed anew each time' : `kept ${e.frozen.place}`}`;
    return `${plural(e.images, 'image')}, ${plural(e.epochs, 'epoch')} of ${plural(this.perEpoch, 'step')}${from}${taken}${frozen}${gapsText(e.gaps).map((line) => `\n${paint(this.colour).yellow('warning')}: ${line}`).join('')}`;
  }

  /** The note beside the bar. */
  step(e: EventOf<'step'>): string {
    if (e.epoch !== this.epoch) [this.epoch, this.losses] = [e.epoch, []];
    this.losses.push(e.loss);
    const dice = this.dice === undefined ? '' : `  Dice ${score(this.dice)}`;
    return `epoch ${e.epoch}/${this.epochs}  loss ${significant(this.meanLoss)}  lr ${e.lr.toExponential(1)}${dice}  ${duration(this.left(e))} left`;
  }

  /** Whether a step ends its epoch: where no bar is drawn, its note becomes a line. */
  endsEpoch(e: EventOf<'step'>): boolean { return e.step % this.perEpoch === 0; }

  validation(e: EventOf<'validation'>): string {
    const p = paint(this.colour);
    const { average, perTask } = e.evaluation.scores;
    this.dice = average.dice;
    const tasks = Object.entries(perTask).map(([code, s]) => `${code} ${score(s.dice)}`).join('  ');
    return `epoch ${e.epoch}: ${p.bold(`Dice ${score(average.dice)}`)}, mIoU ${score(average.miou)}, loss ${significant(e.evaluation.loss)} (train ${significant(e.trainLoss)})${e.best ? p.green('  best') : ''}\n  ${tasks}`;
  }

  private get meanLoss(): number { return this.losses.reduce((a, b) => a + b, 0) / this.losses.length; }

  /** Seconds to the last step at the pace of this sitting, validations included. */
  private left(e: EventOf<'step'>): number {
    const done = e.step - this.firstStep;
    return ((this.now() - this.began) / Math.max(1, done)) * (e.steps - e.step);
  }
}

/** What the data leave out, a line each. */
function gapsText({ untrained, statesReadByAll, unvalidated, noValidation }: Gaps): readonly string[] {
  const lines: string[] = [];
  const [first] = untrained;
  if (first !== undefined) {
    const own = [first.tensors > 0 ? plural(first.tensors, 'tensor') : '', first.states > 0 ? `${first.states} prototypes or other states` : ''].filter((t) => t !== '').join(' and ');
    const stay = own === '' ? '' : `; what a task has of its own (${own}) stays as it begins${statesReadByAll ? ', and all tasks read it' : ''}`;
    lines.push(`no training image of ${untrained.map((u) => u.task).join(', ')}${stay}. Leave them out with --tasks, or mend the split`);
  }
  if (noValidation) lines.push('no validation image: nothing is validated, and no `best` is kept');
  else if (unvalidated.length > 0) lines.push(`no validation image of ${unvalidated.join(', ')}: \`best\` is chosen without them`);
  return lines;
}

/** What keeping features did; nothing where there was nothing to keep. */
export const featuresText = ({ images, kept, secondsSaved }: FeatureUse): string =>
  `features of the frozen part: ${grouped(kept)} of ${grouped(images)} were there already${secondsSaved >= 1 ? `, which saved about ${duration(secondsSaved)}` : ''}`;

/** Why no features are kept where it was asked for. */
export const nothingKept = (engine: Engine): string => (hasMemory(engine)
  ? `a training step of ${engine.name} stays on its device, and keeps no features`
  : 'nothing to keep: less than a tenth of a step depends on frozen tensors and the image alone');
export const distrustText = (place: string): string => `features kept ${place} are not what this machine computes now, and were left alone: remove the folder`;

/** The last word: what was reached, where it is, and how to go on. */
export function trainingEnd(summary: RunSummary, keep: TrainConfig['validate']['keep'], resume: string, colour: boolean): string {
  const p = paint(colour);
  const pace = summary.imagesSeen > 0 ? `, ${(summary.imagesSeen / Math.max(summary.seconds, 1e-9)).toFixed(1)} images a second` : '';
  const memory = `peak memory ${bytes(process.resourceUsage().maxRSS * 1024)}`;
  const lines = [`${plural(summary.steps, 'step')}, ${plural(summary.imagesSeen, 'image')} in ${duration(summary.seconds)}${pace}; ${memory}`];
  if (summary.features !== undefined) lines.push(featuresText(summary.features));
  if (summary.best !== undefined) lines.push(`best ${METRICS[keep]} ${score(Math.abs(summary.best.value))} at epoch ${summary.best.epoch}`);
  if (summary.stopped === 'finished') lines.push(`${p.green('done')}: ${summary.out}`);
  else lines.push(`${p.yellow(summary.stopped === 'interrupted' ? 'stopped' : 'stopped at --max-steps')}; saved in ${summary.out}. Go on with:`, `  ${resume}`);
  return lines.join('\n');
}
