// The outside world of a command, passed in so that a test runs commands in its own process. What a command means is not here.
import { constants, setPriority } from 'node:os';
import { isAbsolute, relative } from 'node:path';

export interface Io {
  /** Results. With `--format json` the JSON alone. */
  readonly out: (text: string) => void;
  /** Progress, warnings, mistakes. */
  readonly err: (text: string) => void;
  readonly readStdin: () => Promise<string>;
  readonly outTty: boolean;
  readonly errTty: boolean;
  readonly colour: boolean;
  /** Where a progress bar may draw; absent where standard error is no terminal. */
  readonly bar?: NodeJS.WritableStream;
  readonly columns: number;
  /** Calls `stop` at Ctrl-C, or where the system asks to end; gives a function that ends the listening. A second Ctrl-C ends the process. */
  readonly onInterrupt: (stop: () => void) => () => void;
  /** From now on others' work goes first on the processors, and this process and what it starts take what is left; absent where that is not ours to say. */
  readonly stepBack?: () => void;
  /** The words that start this program again, before a command's. */
  readonly self: readonly string[];
  /** The process that started this one to work for it, if one did: is told things, and may be gone (calls `stop`). */
  readonly parent?: { readonly tell: (message: object) => void; readonly onGone: (stop: () => void) => () => void };
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** Colours on a terminal only; NO_COLOR (any value that is not empty) turns them off, FORCE_COLOR on. */
export function wantsColour(tty: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  if (!['', '0', undefined].includes(env['FORCE_COLOR'])) return true;
  return tty && env['TERM'] !== 'dumb';
}

export function processIo(): Io {
  const outTty = process.stdout.isTTY === true;
  const errTty = process.stderr.isTTY === true;
  return {
    out: (text) => { process.stdout.write(text); },
    err: (text) => { process.stderr.write(text); },
    readStdin: () => readAll(process.stdin),
    outTty, errTty,
    colour: wantsColour(outTty && errTty, process.env),
    ...(errTty ? { bar: process.stderr } : {}),
    columns: process.stdout.columns ?? 100,
    onInterrupt: (stop) => {
      let asked = false;
      // a batch system may ask twice, by itself and through its script
      const listener = (signal: NodeJS.Signals): void => {
        if (asked && signal === 'SIGINT') process.exit(130);
        if (!asked) stop();
        asked = true;
      };
      process.on('SIGINT', listener);
      process.on('SIGTERM', listener);
      return () => { process.off('SIGINT', listener); process.off('SIGTERM', listener); };
    },
    stepBack: () => {
      try { setPriority(constants.priority.PRIORITY_BELOW_NORMAL); } catch { /* not allowed here: everything is as it was */ }
    },
    self: [process.execPath, ...process.execArgv, process.argv[1] ?? ''],
    ...(process.send === undefined ? {} : { parent: parentProcess }),
  };
}

const parentProcess: NonNullable<Io['parent']> = {
  // a parent that goes away meanwhile is noticed by `onGone`
  tell: (message) => { if (process.connected) process.send?.(message, undefined, undefined, () => undefined); },
  onGone: (stop) => {
    if (!process.connected) stop();
    process.on('disconnect', stop);
    return () => { process.off('disconnect', stop); };
  },
};

/** A path as one would type it here: relative inside the working folder, else absolute. */
export function showPath(path: string): string {
  if (!isAbsolute(path)) return path;
  const near = relative(process.cwd(), path);
  return near === '' || near.startsWith('..') || isAbsolute(near) ? path : near;
}
