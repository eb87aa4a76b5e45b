// Schedules: their ends, their middle, warm-up, and plateaus as a function of the validations.
import { describe, expect, it } from 'vitest';
import type { Schedule } from '../../compiler/program.js';
import { scheduleValue } from '../../runtime/train/schedules.js';

const schedule = (more: Partial<Schedule>): Schedule => ({ name: 's', kind: 'linear', from: 1, to: 0.3, over: 'epochs', ...more });
const at = (s: Schedule, epoch: number, step = epoch * 10, history: readonly number[] = []): number =>
  scheduleValue(s, { epoch, step, epochs: 5, stepsPerEpoch: 10, history });
const epochs = (s: Schedule): number[] => [0, 1, 2, 3, 4].map((e) => at(s, e));
const close = (got: readonly number[], want: readonly number[]): void => want.forEach((w, i) => expect(got[i], String(i)).toBeCloseTo(w, 12));

describe('a schedule', () => {
  it('is linear from the first epoch to the last: tem(e) = 1.0 + (0.3 - 1.0) e / (E - 1)', () => {
    close(epochs(schedule({})), [1, 0.825, 0.65, 0.475, 0.3]);
  });
  it('holds within an epoch where it runs over epochs, and moves with each step where over steps', () => {
    expect(at(schedule({}), 1, 19)).toBe(at(schedule({}), 1, 10));
    const s = schedule({ over: 'steps', from: 0, to: 49 });
    close([0, 1, 25, 49].map((step) => at(s, 0, step)), [0, 1, 25, 49]);
  });
  it('is half a cosine', () => {
    close(epochs(schedule({ kind: 'cosine', from: 1, to: 0 })), [1, (1 + Math.SQRT1_2) / 2, 0.5, (1 - Math.SQRT1_2) / 2, 0]);
  });
  it('stays at its end after its horizon', () => {
    close(epochs(schedule({ horizon: 3, from: 0, to: 1 })), [0, 0.5, 1, 1, 1]);
    close(epochs(schedule({ horizon: 1, from: 0, to: 1 })), [0, 1, 1, 1, 1]);
  });
  it('rises through its warm-up without a step of rate zero', () => {
    close(epochs(schedule({ kind: 'constant', from: 6, warmup: 2 })), [2, 4, 6, 6, 6]);
    close([0, 1, 2, 3].map((step) => at(schedule({ kind: 'constant', from: 8, warmup: 3, over: 'steps' }), 0, step)), [2, 4, 6, 8]);
  });
  it('drops at a plateau after more than `patience` validations that were not better, down to its floor', () => {
    const s = schedule({ kind: 'plateau', from: 1, to: 0.05, factor: 0.1, patience: 2 });
    const value = (...history: number[]): number => at(s, 0, 0, history);
    close([value(), value(1, 2, 3), value(3, 2, 3), value(3, 2, 2, 1), value(3, 2, 2, 1, 4), value(3, 2, 2, 1, 0, 0), value(3, 2, 2, 1, 0, 0, 0)], [1, 1, 1, 0.1, 0.1, 0.1, 0.05]);
  });
});
