// A process for one run: this program again, its words into the run's log, what it tells to the caller.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Worker, WorkerEnd } from '../../runtime/ablate/runner.js';
import type { WorkerMessage } from './messages.js';

/** Ends with what the process said at last; `died` where it said nothing, because the system ended it. */
export function spawnWorker(words: readonly string[], log: string, onMessage: (message: WorkerMessage) => void): Worker {
  const [command = process.execPath, ...rest] = words;
  const file = openSync(log, 'a');
  const child = spawn(command, rest, { stdio: ['ignore', file, file, 'ipc'] });
  closeSync(file);
  let said: WorkerEnd | undefined;
  child.on('message', (message: WorkerMessage) => {
    if (message.kind === 'end') said = message.outcome;
    onMessage(message);
  });
  const ended = new Promise<WorkerEnd>((done) => {
    child.once('error', () => done('died'));
    // not `close`: Node does not send it once the channel was closed from this side. What the process said comes before `disconnect`.
    const settle = (): void => { if (!child.connected && (child.exitCode !== null || child.signalCode !== null)) done(said ?? 'died'); };
    child.once('exit', settle);
    child.once('disconnect', settle);
  });
  // a worker whose channel closes saves and stops; one that is asked twice by Ctrl-C would end at once
  return { ended, stop: () => { if (child.connected) child.disconnect(); } };
}
