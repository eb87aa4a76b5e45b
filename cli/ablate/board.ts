// Live progress over the rows of a study: a bar a row and one for all on a terminal, plain lines elsewhere. Counts nothing that it is not told.
import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import type { RunEntry } from '../../runtime/ablate/layout.js';
import type { PlannedRun } from '../../runtime/ablate/plan.js';
import { duration, grouped, score, significant } from '../../runtime/report/numbers.js';
import { runName } from '../../runtime/report/ablation.js';
import type { Io } from '../io.js';
import type { WorkerMessage } from './messages.js';

export interface Board {
  started(run: PlannedRun): void;
  told(run: PlannedRun, message: WorkerMessage): void;
  ended(run: PlannedRun, entry: RunEntry, ours: boolean): void;
  line(text: string): void;
  stop(): void;
}

/** Steps of each run, and how long the rest takes at this sitting's pace. */
export class Pace {
  private readonly steps: Map<string, number>;
  private readonly before: number;
  private readonly runs: readonly PlannedRun[];
  private readonly began: number;
  constructor(runs: readonly PlannedRun[], entries: readonly RunEntry[], private readonly now: () => number = () => performance.now() / 1000) {
    const states = new Map(entries.map((e) => [e.run, e]));
    this.runs = [...new Map(runs.map((r) => [r.run, r])).values()];
    this.steps = new Map(this.runs.map((r) => { const e = states.get(r.run); return [r.run, e?.state === 'done' ? r.steps : e?.step ?? 0]; }));
    [this.began, this.before] = [now(), this.work()];
  }

  at(run: string, step: number): void { this.steps.set(run, step); }

  /** Steps done and asked for, of one row or of all. */
  count(row?: string): { readonly done: number; readonly of: number } {
    const runs = this.runs.filter((r) => row === undefined || r.row === row);
    return { done: runs.reduce((n, r) => n + Math.min(r.steps, this.steps.get(r.run) ?? 0), 0), of: runs.reduce((n, r) => n + r.steps, 0) };
  }

  /** Seconds; undefined before anything was done. Runs count by their multiply-adds, not by their steps. */
  left(): number | undefined {
    const work = this.work(), pace = (work - this.before) / (this.now() - this.began);
    return pace > 0 ? (this.runs.reduce((n, r) => n + r.work, 0) - work) / pace : undefined;
  }

  private work(): number { return this.runs.reduce((n, r) => n + r.work * Math.min(1, (this.steps.get(r.run) ?? 0) / r.steps), 0); }
}

const leftText = (seconds: number | undefined): string => (seconds === undefined ? '' : `${duration(seconds)} left`);

/** `runs`: what this runner does. */
export function boardOf(io: Io, runs: readonly PlannedRun[], entries: readonly RunEntry[]): Board {
  const pace = new Pace(runs, entries), all = new Set(runs.map((r) => r.run)).size;
  const done = new Set(entries.filter((e) => e.state === 'done' && runs.some((r) => r.run === e.run)).map((e) => e.run));
  const heard = (run: PlannedRun, message: WorkerMessage): void => { if (message.kind === 'step') pace.at(run.run, message.step); };
  const endText = (run: PlannedRun, entry: RunEntry, ours: boolean): string =>
    `${entry.state === 'done' ? 'done' : 'failed'}: ${runName(run)}${ours ? '' : ', by another runner'}${entry.state === 'failed' ? `: ${entry.reason ?? ''}` : entry.seconds === undefined ? '' : `, ${duration(entry.seconds)}`}`;
  const end = (run: PlannedRun, entry: RunEntry): void => {
    pace.at(run.run, entry.state === 'done' ? run.steps : entry.step);
    if (entry.state === 'done') done.add(run.run);
  };
  if (io.bar === undefined) {
    const line = (text: string): void => io.err(`[${done.size}/${all}] ${text}\n`);
    return {
      started: (run) => line(`${runName(run)} begins`),
      told: (run, message) => {
        heard(run, message);
        if (message.kind === 'validation') line(`${runName(run)}: epoch ${message.epoch}, Dice ${score(message.dice)}  ${leftText(pace.left())}`.trimEnd());
      },
      ended: (run, entry, ours) => { end(run, entry); line(endText(run, entry, ours)); },
      line: (text) => io.err(`${text}\n`), stop: () => undefined,
    };
  }
  const names = [...new Set(runs.map((r) => r.row))], width = Math.max(3, ...names.map((n) => n.length));
  const multi = new MultiBar({ format: '{name} {bar} {value}/{total}  {note}', stream: io.bar, hideCursor: true, clearOnComplete: true, fps: 4, barsize: 20, autopadding: true, gracefulExit: false }, Presets.rect);
  const bars = new Map<string, SingleBar>(names.map((name) => [name, multi.create(pace.count(name).of, pace.count(name).done, { name: name.padEnd(width), note: '' })]));
  const total = multi.create(pace.count().of, pace.count().done, { name: 'all'.padEnd(width), note: '' });
  const notes = new Map<string, string>(), dice = new Map<string, number>();
  const draw = (row: string): void => {
    const note = [...notes].filter(([run]) => runs.some((r) => r.run === run && r.row === row)).map(([, text]) => text).join('   ');
    bars.get(row)?.update(pace.count(row).done, { note });
    total.update(pace.count().done, { note: `${done.size} of ${grouped(all)} runs  ${leftText(pace.left())}` });
  };
  return {
    started: (run) => { notes.set(run.run, `${runName(run).slice(run.row.length).replace(/^, /, '')} begins`); draw(run.row); },
    told: (run, message) => {
      heard(run, message);
      if (message.kind === 'validation') dice.set(run.run, message.dice);
      if (message.kind === 'step') {
        const reached = dice.get(run.run);
        notes.set(run.run, `${runName(run).slice(run.row.length).replace(/^, /, '')} epoch ${message.epoch} loss ${significant(message.loss)}${reached === undefined ? '' : ` Dice ${score(reached)}`}`);
      }
      draw(run.row);
    },
    ended: (run, entry, ours) => {
      end(run, entry);
      notes.delete(run.run);
      multi.log(`${endText(run, entry, ours)}\n`);
      draw(run.row);
    },
    line: (text) => multi.log(`${text}\n`),
    stop: () => {
      if (!multi.isActive) return;
      // lines that it has not written yet
      multi.update();
      multi.stop();
    },
  };
}
