// Progress of something that counts, on a terminal as a bar that is redrawn, else silent or in plain lines. What is counted is the caller's.
import { Presets, SingleBar } from 'cli-progress';
import type { Io } from './io.js';

export interface Progress {
  readonly update: (done: number, total: number, note?: string) => void;
  readonly stop: () => void;
  /** Writes a line above the bar. */
  readonly line: (text: string) => void;
}

/** A bar on standard error; nothing but its lines where that is no terminal. */
export function barOf(io: Io, format: string): Progress {
  const line = (text: string): void => { io.err(`${text}\n`); };
  if (io.bar === undefined) return { update: () => undefined, stop: () => undefined, line };
  const bar = new SingleBar({ format, stream: io.bar, hideCursor: true, clearOnComplete: true, fps: 8, etaBuffer: 50, barsize: 24 }, Presets.rect);
  let shown: { readonly done: number; readonly total: number; readonly note: string } | undefined;
  return {
    update: (done, total, note = '') => {
      if (shown === undefined) bar.start(total, done, { note });
      else bar.update(done, { note });
      shown = { done, total, note };
    },
    stop: () => {
      if (shown !== undefined) bar.stop();
      shown = undefined;
    },
    // The bar restores the cursor to where it began, so it ends before a line and begins again below it.
    line: (text) => {
      if (shown !== undefined) bar.stop();
      line(text);
      if (shown !== undefined) bar.start(shown.total, shown.done, { note: shown.note });
    },
  };
}

export const dataProgress = (io: Io, verb: string): Progress => barOf(io, `${verb} {bar} {value}/{total} files`);
