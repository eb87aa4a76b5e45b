// Progress: a bar on a terminal whose lines stay, silence elsewhere; the tale of a training in words.
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { barOf } from '../../cli/progress.js';
import type { Io } from '../../cli/io.js';
import type { Gaps } from '../../runtime/train/gaps.js';
import type { TrainEvent } from '../../runtime/train/loop.js';
import { TrainingTale, trainingEnd } from '../../runtime/report/training.js';

function terminal(): { readonly io: Io; readonly text: () => string } {
  let text = '';
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  stream.on('data', (chunk: Buffer) => { text += chunk.toString(); });
  const io: Io = { out: () => undefined, err: (t) => { stream.write(t); }, readStdin: async () => '', outTty: true, errTty: true, colour: false, columns: 80, bar: stream, onInterrupt: () => () => undefined, self: [] };
  return { io, text: () => text };
}

describe('barOf', () => {
  it('a line ends the bar before it and begins it again below', () => {
    const { io, text } = terminal();
    const bar = barOf(io, '{bar} {value}/{total} {note}');
    bar.update(1, 4, 'first');
    bar.line('validated');
    bar.update(2, 4, 'second');
    bar.stop();
    const [before = '', after = ''] = text().split('validated\n');
    expect(before).toContain('1/4 first');
    expect(before).toContain('\u001b[?25h'); // the cursor is shown again: the bar has ended
    expect(after).toContain('1/4 first');
    expect(text().trimEnd().endsWith('\u001b[2K')).toBe(true);
  });
  it('writes its lines alone where there is no terminal', () => {
    let err = '';
    const { io } = terminal();
    const bar = barOf({ ...io, bar: undefined, err: (t) => { err += t; } }, '{bar}');
    bar.update(1, 4);
    bar.line('validated');
    bar.stop();
    expect(err).toBe('validated\n');
  });
});

describe('TrainingTale', () => {
  const none: Gaps = { untrained: [], statesReadByAll: false, unvalidated: [], noValidation: false };
  const step = (n: number, epoch: number, loss: number): Extract<TrainEvent, { kind: 'step' }> => ({ kind: 'step', step: n, steps: 8, epoch, loss, lr: 1e-3 });
  it('means the loss over the epoch and foretells the end from the pace', () => {
    let now = 100;
    const tale = new TrainingTale(false, () => now);
    expect(tale.start({ kind: 'start', step: 2, steps: 8, epochs: 2, images: 1234, gaps: none })).toBe('1,234 images, 2 epochs of 4 steps, going on at step 2');
    now = 110;
    expect(tale.step(step(3, 1, 1))).toBe('epoch 1/2  loss 1  lr 1.0e-3  50 s left');
    now = 120;
    expect(tale.step(step(4, 1, 3))).toBe('epoch 1/2  loss 2  lr 1.0e-3  40 s left');
    expect(tale.endsEpoch(step(4, 1, 3))).toBe(true);
    expect(tale.step(step(5, 2, 5))).toMatch(/^epoch 2\/2 {2}loss 5 /);
  });
  it('tells before the first step what the data leave out', () => {
    const told = (gaps: Partial<Gaps>): string[] => new TrainingTale(false).start({ kind: 'start', step: 0, steps: 8, epochs: 2, images: 10, gaps: { ...none, ...gaps } }).split('\n').slice(1);
    expect(told({ untrained: [{ task: 'SL', tensors: 2, states: 3 }, { task: 'CP', tensors: 2, states: 3 }], statesReadByAll: true }))
      .toEqual(['warning: no training image of SL, CP; what a task has of its own (2 tensors and 3 prototypes or other states) stays as it begins, and all tasks read it. Leave them out with --tasks, or mend the split']);
    expect(told({ untrained: [{ task: 'SL', tensors: 0, states: 0 }] })).toEqual(['warning: no training image of SL. Leave them out with --tasks, or mend the split']);
    expect(told({ unvalidated: ['SL'] })).toEqual(['warning: no validation image of SL: `best` is chosen without them']);
    expect(told({ unvalidated: ['SL'], noValidation: true })).toEqual(['warning: no validation image: nothing is validated, and no `best` is kept']);
  });
  it('ends with how to go on where it is not done', () => {
    const summary = { out: 'runs/a', steps: 4, epochs: 1, imagesSeen: 32, seconds: 8, best: { epoch: 1, step: 4, value: -0.25 } } as const;
    const stopped = trainingEnd({ ...summary, stopped: 'interrupted' }, 'loss', 'tpsc train x --resume', false);
    expect(stopped).toContain('4 steps, 32 images in 8 s, 4.0 images a second');
    expect(stopped).toContain('best loss 0.250 at epoch 1');
    expect(stopped.endsWith('stopped; saved in runs/a. Go on with:\n  tpsc train x --resume')).toBe(true);
    expect(trainingEnd({ ...summary, stopped: 'finished' }, 'loss', '', false).endsWith('done: runs/a')).toBe(true);
  });
});
