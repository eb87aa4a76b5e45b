// The runs of a study for people: what is planned and what it costs, how far it is, what failed. The table of results is not here.
import { expectations, secondsLeft } from '../ablate/estimate.js';
import { studyPaths, type RunEntry, type StudyFile } from '../ablate/layout.js';
import type { Plan } from '../ablate/plan.js';
import { evaluationOf } from '../ablate/scan.js';
import { isLive, taskLog, type Queue, type SlurmTask } from '../ablate/slurm.js';
import { paint } from './colour.js';
import { duration, grouped, plural, score, short } from './numbers.js';
import { renderTable } from './table.js';

export interface PlanRow {
  readonly row: string;
  readonly label: string;
  readonly runs: number;
  readonly done: number;
  /** Of one network. */
  readonly parameters: number;
  readonly trainable: number;
  readonly macs: number;
  /** Of one run. */
  readonly steps: number;
  /** Forward multiply-adds of the row's trainings, over those of the baseline (else the first row). */
  readonly cost: number;
  /** Of one run; null where no run has finished. */
  readonly seconds: number | null;
  /** A row before it with the same runs. */
  readonly sameAs: string | null;
}
export interface PlanReport { readonly study: string; readonly rows: readonly PlanRow[]; readonly runs: number; readonly done: number; readonly jobs: number; readonly threads: number; readonly secondsLeft: number | null }

const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0);
/** Each run once, where it comes first: rows of one network share theirs. */
export const distinctRuns = <T extends { readonly run: string }>(runs: readonly T[]): readonly T[] => [...new Map([...runs].reverse().map((r) => [r.run, r])).values()].reverse();

export function planReport({ study, runs }: Plan, entries: readonly RunEntry[], jobs: number): PlanReport {
  const expected = expectations(runs, entries), done = new Set(entries.filter((e) => e.state === 'done').map((e) => e.run));
  const of = (row: string): Plan['runs'] => runs.filter((r) => r.row === row);
  const work = (row: string): number => sum(of(row).map((r) => r.work));
  const names = [...new Set(runs.map((r) => r.row))], base = study.rows.find((r) => r.baseline)?.name ?? names[0] ?? '';
  const rows = names.flatMap((row, i): PlanRow[] => {
    const own = of(row), [first] = own;
    if (first === undefined) return [];
    return [{
      row, label: first.label, runs: own.length, done: own.filter((r) => done.has(r.run)).length, parameters: first.counts.parameters, trainable: first.counts.trainable, macs: first.counts.macs,
      steps: first.steps, cost: work(row) / (work(base) || work(row)), seconds: expected(first) ?? null,
      sameAs: names.slice(0, i).find((other) => of(other)[0]?.run === first.run) ?? null,
    }];
  });
  const all = distinctRuns(runs);
  return { study: study.study, rows, runs: all.length, done: all.filter((r) => done.has(r.run)).length, jobs, threads: study.threads, secondsLeft: secondsLeft(runs, entries, jobs) ?? null };
}

export function renderPlan(report: PlanReport, study: StudyFile): string {
  const { rows, jobs, threads } = report, left = report.runs - report.done;
  const table = renderTable([
    { title: 'row' }, { title: 'label' }, { title: 'runs', align: 'right' }, { title: 'done', align: 'right' }, { title: 'parameters', align: 'right' }, { title: 'trainable', align: 'right' },
    { title: 'MACs', align: 'right' }, { title: 'steps', align: 'right' }, { title: 'cost', align: 'right' }, { title: 'a run', align: 'right' },
  ], rows.map((r) => [
    r.row, r.sameAs === null ? r.label : `${r.label}, the runs of ${r.sameAs}`, String(r.runs), String(r.done), grouped(r.parameters), grouped(r.trainable), short(r.macs), grouped(r.steps), r.cost.toFixed(2),
    r.seconds === null ? '' : duration(r.seconds),
  ]));
  const time = report.secondsLeft === null ? 'no run has finished yet, so there is no rate to foretell a time by' : `about ${duration(report.secondsLeft)}`;
  const { miou, checkpoint, at, threshold } = study.metric;
  return [
    `study ${study.study} of ${study.block}: ${plural(rows.length, 'row')}, ${plural(study.tasks.length, 'task')}, ${plural(study.seeds.length, 'seed')}, ${plural(report.runs, 'run')}`, '', table,
    `cost: multiply-adds of the trainings, forward, over those of ${study.rows.find((r) => r.baseline)?.name ?? rows[0]?.row ?? ''}`,
    `scored: checkpoint ${checkpoint} on the validation split at ${at === 'original' ? 'each image\'s own' : 'the network\'s'} size, threshold ${threshold}, mIoU ${miou}`,
    left === 0 ? 'all runs are done' : `${plural(left, 'run')} left, ${plural(jobs, 'job')} of ${plural(threads, 'thread')}: ${time}`, '',
  ].join('\n');
}

/** Mean Dice over the runs that are done; undefined where none is. */
function meanDice(root: string, study: StudyFile, entries: readonly RunEntry[]): number | undefined {
  const values = entries.filter((e) => e.state === 'done').flatMap((e) => evaluationOf(studyPaths(root).folder(e.run), study.metric)?.average.dice ?? []);
  return values.length === 0 ? undefined : sum(values) / values.length;
}

/** How a study stands, a line a row; then what failed and where it is told, and with `queue` how its tasks in Slurm stand. */
export function renderStanding(root: string, study: StudyFile, entries: readonly RunEntry[], colour: boolean, queue?: Queue): string {
  const p = paint(colour);
  const isQueued = (e: RunEntry): boolean => e.state === 'waiting' && isLive(queue?.get(e.run));
  const of = (row: string): readonly RunEntry[] => entries.filter((e) => e.row === row);
  const rows = study.rows.filter((r) => of(r.name).length > 0).map((row) => {
    const own = of(row.name), count = (state: RunEntry['state']): string => String(own.filter((e) => e.state === state).length);
    const [step, steps] = [sum(own.map((e) => (e.state === 'done' ? e.steps : e.step))), sum(own.map((e) => e.steps))];
    const seconds = own.flatMap((e) => (e.state === 'done' ? e.seconds ?? [] : []));
    return [row.name, row.label, `${count('done')}/${own.length}`, count('running'), count('failed'),
      ...(queue === undefined ? [count('waiting')] : [String(own.filter(isQueued).length), String(own.filter((e) => e.state === 'waiting' && !isQueued(e)).length)]), `${grouped(step)}/${grouped(steps)}`, score(meanDice(root, study, own)), seconds.length === 0 ? '' : duration(sum(seconds) / seconds.length)];
  });
  const right = (title: string): { readonly title: string; readonly align: 'right' } => ({ title, align: 'right' });
  const table = renderTable([{ title: 'row' }, { title: 'label' }, ...['done', 'running', 'failed', ...(queue === undefined ? [] : ['queued']), 'waiting', 'steps', 'Dice', 'a run'].map(right)], rows);
  const failed = distinctRuns(entries.filter((e) => e.state === 'failed')).map((e) => `${p.red('failed')}: ${runName(e)}: ${e.reason ?? ''}\n  all it said: cat ${studyPaths(root).log(e.run)}\n`);
  const slurm = queue === undefined ? '' : renderQueue(root, queue);
  return `${table}${failed.length === 0 && slurm === '' ? '' : '\n'}${failed.join('')}${slurm}`;
}

/** Tasks of runs that are not done: those that are alike in a line. */
function renderQueue(root: string, queue: Queue): string {
  const groups = new Map<string, SlurmTask[]>();
  for (const t of queue.values()) {
    const key = [t.task.replace(/_.*/, ''), t.state, t.reason].join();
    groups.set(key, [...groups.get(key) ?? [], t]);
  }
  return [...groups.values()].flatMap((tasks) => {
    const [first] = tasks, nodes = [...new Set(tasks.flatMap((t) => (t.nodes === '' ? [] : [t.nodes])))].join(', ');
    if (first === undefined) return [];
    const said = isLive(first) ? '' : tasks.map((t) => `  all it said: cat ${taskLog(root, t)}\n`).join('');
    return `Slurm, job ${first.task.replace(/_.*/, '')}: ${plural(tasks.length, 'task')} ${first.state.toLowerCase()}${['None', ''].includes(first.reason) ? '' : ` (${first.reason})`}${nodes === '' ? '' : ` on ${nodes}`}\n${said}`;
  }).join('');
}

/** `A5 (SL), seed 1`: tasks where they are not those of the whole study are the caller's matter. */
export const runName = ({ row, seed, tasks }: Pick<RunEntry, 'row' | 'seed' | 'tasks'>): string => `${row}${tasks.length === 1 ? ` (${tasks.join()})` : ''}, seed ${seed}`;
