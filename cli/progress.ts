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
  let started = false;
  return {
    update: (done, total, note = '') => {
      if (!started) bar.start(total, done, { note });
      else bar.update(done, { note });
      started = true;
    },
    stop: () => { if (started) bar.stop(); },
    line: (text) => {
      if (started) io.err('\r\u001b[K');
      line(text);
    },
  };
}

export const dataProgress = (io: Io, verb: string): Progress => barOf(io, `${verb} {bar} {value}/{total} files`);
