// Named scalars over the training: the value of a schedule at a place, a pure function of the place and the validations so far.
import type { Schedule } from '../../compiler/program.js';

export interface SchedulePlace {
  /** From 0. */
  readonly epoch: number;
  /** Batches since the beginning, from 0. */
  readonly step: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  /** The kept metric at each validation so far, turned so that greater is better. */
  readonly history: readonly number[];
}

/**
 * The value at `place` (equations on `Schedule`). Where the horizon is one unit long, x is 0 in it and 1 after it.
 * Warm-up multiplies by (u + 1) / (warmup + 1) in unit u < warmup: it rises from the 0 that unit -1 would have, so the first unit learns.
 */
export function scheduleValue(schedule: Schedule, place: SchedulePlace): number {
  const unit = schedule.over === 'epochs' ? place.epoch : place.step;
  const length = schedule.horizon ?? (schedule.over === 'epochs' ? place.epochs : place.epochs * place.stepsPerEpoch);
  const x = Math.min(1, length > 1 ? unit / (length - 1) : unit);
  const warmup = schedule.warmup ?? 0;
  return body(schedule, x, place.history) * (unit < warmup ? (unit + 1) / (warmup + 1) : 1);
}

function body(schedule: Schedule, x: number, history: readonly number[]): number {
  const { from, to } = schedule;
  switch (schedule.kind) {
    case 'constant': return from;
    case 'linear': return from + (to - from) * x;
    case 'cosine': return to + ((from - to) * (1 + Math.cos(Math.PI * x))) / 2;
    case 'plateau': return plateau(schedule, history);
    default: return schedule.kind satisfies never;
  }
}

function plateau({ from, to, factor = 0.1, patience = 0 }: Schedule, history: readonly number[]): number {
  let value = from, best = -Infinity, since = 0;
  for (const metric of history) {
    if (metric > best) { best = metric; since = 0; } else since += 1;
    if (since > patience) { value = Math.max(value * factor, to); since = 0; }
  }
  return value;
}
