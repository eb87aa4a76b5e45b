// metrics.jsonl: one JSON object a line, appended as the training goes. Holds no times, so that a resumed run's file is that of an uninterrupted one.
import { closeSync, existsSync, fsyncSync, fstatSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { UserError } from '../errors.js';
import { writeAll } from '../state/atomic.js';

/** One training step, one validation. A reader tells them by `kind`. */
export type LogLine =
  | { readonly kind: 'step'; readonly step: number; readonly epoch: number; readonly loss: number; readonly lr: number; readonly gradNorm?: number }
  | {
    readonly kind: 'validation'; readonly epoch: number; readonly step: number; readonly trainLoss: number; readonly loss: number; readonly dice: number; readonly miou: number;
    readonly perTask: Readonly<Record<string, { readonly dice: number; readonly miou: number; readonly images: number }>>;
    readonly schedules: Readonly<Record<string, number>>;
  };

export interface RunLog {
  append(line: LogLine): void;
  /** Makes all lines last on the disk and gives the file's length in bytes. */
  sync(): number;
  close(): void;
}

/** Opens the log for appending after its first `keep` bytes; what stood behind them belongs to steps that are done again. */
export function openLog(path: string, keep: number): RunLog {
  const fd = openSync(path, 'a');
  if (fstatSync(fd).size > keep) ftruncateSync(fd, keep);
  return {
    append: (line) => writeAll(fd, Buffer.from(`${JSON.stringify(line)}\n`)),
    sync: () => { fsyncSync(fd); return fstatSync(fd).size; },
    close: () => closeSync(fd),
  };
}

/** The whole lines of a log, in order; none where there is no file. A line that is still being written is left out. Throws UserError where the file is damaged. */
export function readLog(path: string): readonly LogLine[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8').split('\n').slice(0, -1).map((line, i) => {
    try { return JSON.parse(line) as LogLine; } catch { throw new UserError(`${path}, line ${i + 1}: no JSON`, 'The file is damaged; `tpsc train --resume` cuts it to the last checkpoint.'); }
  });
}

export type StepLine = Extract<LogLine, { readonly kind: 'step' }>;
export type ValidationLine = Extract<LogLine, { readonly kind: 'validation' }>;
export const stepsOf = (log: readonly LogLine[]): readonly StepLine[] => log.filter((l) => l.kind === 'step');
export const validationsOf = (log: readonly LogLine[]): readonly ValidationLine[] => log.filter((l) => l.kind === 'validation');
