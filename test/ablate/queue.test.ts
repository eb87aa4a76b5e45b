// The script that sbatch is given, what squeue says of its tasks, and how a study with tasks in a queue is told. No Slurm: `slurm.test.ts` has one.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Io } from '../../cli/io.js';
import { collect } from '../../cli/ablate/standing.js';
import { checkSlurmArgs, slurmScript } from '../../cli/ablate/slurm-script.js';
import { studyPaths, type RunEntry, type StudyFile } from '../../runtime/ablate/layout.js';
import { failureOf } from '../../runtime/ablate/scan.js';
import { parseQueue, queueOf, settleEnded, submit, type Submission } from '../../runtime/ablate/slurm.js';
import { renderStanding } from '../../runtime/report/ablation.js';
import { temporaryFolder } from '../temporary.js';

const runs = ['a0', 'a1', 'a2', 'a3', 'a4'];
const submission = (job: string, of: readonly string[] = runs): Submission => ({ format: 1, job, runs: of, command: 'tpsc ablate …', submitted: `2026-01-0${job.length}T00:00:00.000Z` });
const entry = (run: string, state: RunEntry['state'] = 'waiting'): RunEntry => ({ row: run === 'a4' ? 'wide' : 'main', tasks: ['SL', 'CP'], seed: Number(run.slice(1)), run, state, step: state === 'done' ? 30 : 0, steps: 30 });
const folder = (submissions: readonly Submission[] = []): string => {
  const root = temporaryFolder('queue');
  for (const name of ['slurm', 'logs']) mkdirSync(join(root, name));
  for (const s of submissions) writeFileSync(join(root, 'slurm', `${s.job}.json`), JSON.stringify(s));
  return root;
};
const study = {
  study: 'parts', rows: ['main', 'wide'].map((name) => ({ name, label: name, baseline: name === 'main', set: {}, program: '', repeat: false })),
  metric: { dice: 'image', miou: 'dataset-both', threshold: 0.5, checkpoint: 'last', at: 'network' }, budget: { steps: 30 },
} as unknown as StudyFile;

const SQUEUE = `CLUSTER: here
17|3|PENDING||JobArrayTaskLimit
17|4|PENDING||Nodes required for job are DOWN, DRAINED|or reserved
17|0|RUNNING|n1|None
17|1|COMPLETED|n2|None
17|2|FAILED|n2|RaisedSignal:9(Killed)
18|0|RUNNING|n9|None
17|7|RUNNING|n9|None
`;

describe('the script', () => {
  const script = (words: readonly string[], more: object = {}): string => slurmScript({
    study: 'parts', out: '/shared/my runs', runs: [{ run: 'a0', name: 'main, seed 0' }, { run: 'a1', name: 'wide, seed 0' }], threads: 4, words: (run) => [...words, '--run', run], ...more,
  });
  it('asks for a task a run with the threads of one, and for being put back', () => {
    const text = script(['/opt/node', 'tpsc.js', 'ablate'], { jobs: 8, args: '--partition=long --mem=8G' });
    expect(text.match(/^#SBATCH .*/gm)).toEqual(['#SBATCH --job-name=tpsc-parts', '#SBATCH --array=0-1%8', '#SBATCH --cpus-per-task=4', '#SBATCH --requeue', '#SBATCH --open-mode=append',
      '#SBATCH --output=slurm/%A_%a.log', '#SBATCH --signal=B:TERM@120', '#SBATCH --partition=long --mem=8G']);
    expect(text).toContain("cd '/shared/my runs' ||");
    expect(text).toContain('runs=(\n  a0  # main, seed 0\n  a1  # wide, seed 0\n)\n');
    expect(text).toContain('  /opt/node tpsc.js ablate --run "$run" >> "logs/$run.log" 2>&1 &\n');
    expect(script([])).toContain('#SBATCH --array=0-1\n');
  });

  /** Runs the script with bash, a worker of a line of bash, and stand-ins for Slurm's commands. */
  function task(worker: string, state = 'RUNNING'): { readonly status: number | null; readonly said: string; readonly calls: string; readonly log: string } {
    const out = folder(), bin = join(out, 'bin'), calls = join(out, 'calls');
    mkdirSync(bin);
    writeFileSync(calls, '');
    const program = (name: string, text: string): void => { writeFileSync(join(bin, name), `#!/bin/bash\n${text}\n`); chmodSync(join(bin, name), 0o755); };
    program('squeue', `echo ${state}`);
    program('scontrol', `echo "$@" >> ${calls}`);
    program('worker', `echo "$@"\necho start >> ${calls}\n${worker}`);
    const { status, stdout, stderr } = spawnSync('bash', ['-c', script([join(bin, 'worker')], { out })], { encoding: 'utf8', env: { ...process.env, PATH: `${bin}:${process.env['PATH']}`, SLURM_ARRAY_TASK_ID: '1', SLURM_JOB_ID: '23' } });
    return { status, said: stdout + stderr, calls: readFileSync(calls, 'utf8'), log: readFileSync(join(out, 'logs', 'a1.log'), 'utf8') };
  }
  it('does the run of its number, and ends as it ends', () => {
    const { status, said, calls, log } = task('exit 0');
    expect([status, calls, log]).toEqual([0, 'start\n', '--run a1\n']);
    expect(said).toMatch(/: run a1, restarts: 0\n$/);
    expect(task('exit 1')).toMatchObject({ status: 1, calls: 'start\n' });
  });
  it('starts a run that the system ends three times in all', () => {
    const { status, said, calls } = task('kill -9 $$');
    expect([status, calls]).toEqual([137, 'start\nstart\nstart\n']);
    expect(said.match(/the system ended it with 137/g)?.length).toBe(3);
  });
  it('goes back into the queue when its time is nearly up: the run saves, and Slurm is asked to requeue', () => {
    const saves = 'trap "sleep 0.3; exit 130" TERM; kill -TERM $PPID; for i in $(seq 100); do sleep 0.05; done; exit 5';
    expect(task(saves)).toMatchObject({ status: 130, calls: 'start\nrequeue 23\n' });
    // a task that is cancelled, or requeued by Slurm, is told so too: it must not come back by itself
    expect(task(saves, 'COMPLETING')).toMatchObject({ status: 130, calls: 'start\n' });
  });
  it.each([['--mem=8G -a 1-3', /--slurm-args: -a is set by tpsc itself/], ['--array=1-3', /--array is set/], ['--output x', /--output is set/], ['--mem=1G\nrm', /is one line/]])('refuses --slurm-args %j', (args, message) => {
    expect(() => checkSlurmArgs(args)).toThrow(message);
    expect(() => checkSlurmArgs('--partition=long --account=a -t 10:00 --mail-type=ARRAY_TASKS --gres=gpu:1')).not.toThrow();
  });
});

describe('the queue', () => {
  it('is read from squeue, a task a line, of one job', () => {
    expect(parseQueue(SQUEUE, submission('17')).map((t) => [t.run, t.task, t.state, t.nodes, t.reason])).toEqual([
      ['a3', '17_3', 'PENDING', '', 'JobArrayTaskLimit'], ['a4', '17_4', 'PENDING', '', 'Nodes required for job are DOWN, DRAINED|or reserved'], ['a0', '17_0', 'RUNNING', 'n1', 'None'],
      ['a1', '17_1', 'COMPLETED', 'n2', 'None'], ['a2', '17_2', 'FAILED', 'n2', 'RaisedSignal:9(Killed)'],
    ]);
    expect(parseQueue('', submission('17'))).toEqual([]);
  });
  it('of several jobs says the task that lives, else the newest; what is done is not asked for', () => {
    const asked: string[] = [], root = folder([submission('3'), submission('40', ['a2', 'a3']), submission('500', ['a1'])]);
    const queue = queueOf(root, runs.map((run) => entry(run, run === 'a1' ? 'done' : 'waiting')), ({ job }) => {
      asked.push(job);
      return job === '3' ? '3|2|FAILED|n1|NonZeroExitCode\n3|3|RUNNING|n1|None\n' : '40|0|PENDING||Priority\n40|1|CANCELLED||None\n';
    });
    expect(asked).toEqual(['3', '40']);
    expect([...queue!.values()].map((t) => [t.run, t.task, t.state])).toEqual([['a2', '40_0', 'PENDING'], ['a3', '3_3', 'RUNNING']]);
    expect(queueOf(folder(), [])).toBeUndefined();
  });
  it('names what Slurm ended; what was cancelled or forgotten waits to be submitted again', () => {
    const root = folder(), queue = new Map(parseQueue(`${SQUEUE}17|3|CANCELLED||None\n`, submission('17')).map((t) => [t.run, t]));
    expect(settleEnded(root, runs.map((run) => entry(run)), queue, study).map((e) => e.state)).toEqual(['waiting', 'waiting', 'failed', 'waiting', 'waiting']);
    expect(failureOf(root, 'a2')).toBe(`Slurm ended its task 17_2 on n2: FAILED (RaisedSignal:9(Killed)); see ${join(root, 'slurm', '17_2.log')} and ${studyPaths(root).log('a2')}`);
  });
  it('is told with the study', () => {
    const queue = new Map(parseQueue(SQUEUE, submission('17')).map((t) => [t.run, t]));
    expect(renderStanding('/r', study, [entry('a0', 'running'), entry('a1', 'done'), entry('a2'), entry('a3'), entry('a4')], false, queue)).toBe(`row   label  done  running  failed  queued  waiting   steps  Dice  a run
main  main    1/4        1       0       1        1  30/120     –
wide  wide    0/1        0       0       1        0    0/30     –

Slurm, job 17: 1 task pending (JobArrayTaskLimit)
Slurm, job 17: 1 task pending (Nodes required for job are DOWN, DRAINED|or reserved)
Slurm, job 17: 1 task running on n1
Slurm, job 17: 1 task completed on n2
  all it said: cat /r/slurm/17_1.log
Slurm, job 17: 1 task failed (RaisedSignal:9(Killed)) on n2
  all it said: cat /r/slurm/17_2.log
`);
  });
});

describe('--collect --wait', () => {
  it('outlasts a controller that is away, and keeps how a task ended', async () => {
    const root = folder([submission('9', ['a0'])]), calls = join(root, 'calls'), path = process.env['PATH'];
    writeFileSync(join(root, 'study.json'), JSON.stringify({ ...study, format: 1 }));
    writeFileSync(join(root, 'runs.json'), JSON.stringify([entry('a0')]));
    writeFileSync(join(root, 'squeue'), `#!/bin/bash
echo >> ${calls}
case $(wc -l < ${calls}) in
  1) echo "9|0|RUNNING|n1|None";;
  2) echo "Unable to contact slurm controller" >&2; exit 1;;
  3) echo "9|0|OUT_OF_MEMORY|n1|OutOfMemory";;
  *) echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1;;
esac
`);
    chmodSync(join(root, 'squeue'), 0o755);
    process.env['PATH'] = `${root}:${path}`;
    let [out, err] = ['', ''];
    const io: Io = { out: (text) => { out += text; }, err: (text) => { err += text; }, readStdin: async () => '', outTty: false, errTty: false, colour: false, columns: 100, onInterrupt: () => () => undefined, self: [] };
    try {
      expect(await collect(root, true, io, false, { look: 1, ask: 1 })).toBe(1);
    } finally { process.env['PATH'] = path; }
    expect(err).toMatch(/^squeue cannot tell how job 9 stands: Unable to contact slurm controller; it is asked again\n\[1\/1\] failed: main, seed 0: Slurm ended its task 9_0 on n1: OUT_OF_MEMORY \(OutOfMemory\); see /);
    expect(out).toMatch(/^main +main +0\/1 +0 +1 +0 +0 [^]*failed: main, seed 0[^]*the same command submits what is left:\n {2}tpsc ablate …\n/m);
  });
});

describe('without Slurm', () => {
  it('says so, and what to do', () => {
    const path = process.env['PATH'];
    process.env['PATH'] = '/nowhere';
    try {
      expect(() => submit(folder(), '', [], '')).toThrow(/Slurm is not here: no sbatch on the PATH/);
      expect(() => queueOf(folder([submission('1')]), [entry('a0')])).toThrow(/no squeue on the PATH/);
    } finally { process.env['PATH'] = path; }
  });
});
