// The script of an array job: a task a run, each `tpsc ablate --run` on a node. Text only; runtime/ablate/slurm.ts submits it.
import { MisuseError } from '../../runtime/errors.js';
import { plural } from '../../runtime/report/numbers.js';
import { quoted } from '../flags.js';

export interface SlurmScript {
  readonly study: string;
  /** The folder of the study, absolute. */
  readonly out: string;
  /** Task N does the Nth; `name` is for readers. */
  readonly runs: readonly { readonly run: string; readonly name: string }[];
  /** Of a run. */
  readonly threads: number;
  /** Tasks at a time; absent: as many as Slurm finds room for. */
  readonly jobs?: number;
  /** Further options of sbatch. */
  readonly args?: string;
  /** The words that do a run, given its name. */
  readonly words: (run: string) => readonly string[];
}

/** What the script depends on. */
const OURS = /(?:^|\s)(--array|-a|--wrap|--output|-o|--open-mode|--signal|--requeue|--no-requeue|--chdir|-D)(?=[\s=\d]|$)/;

/** Throws MisuseError for options that would break the script. */
export function checkSlurmArgs(args: string): void {
  const [, option] = OURS.exec(args) ?? [];
  if (option !== undefined) throw new MisuseError(`--slurm-args: ${option} is set by tpsc itself`, option === '--array' || option === '-a' ? '--jobs N says how many tasks may run at a time' : 'leave it out; --dry-run prints the script');
  if (/[\r\n]/.test(args)) throw new MisuseError('--slurm-args is one line', 'write --slurm-args="--partition=long --mem=8G"');
}

const RUN = '$run';
const word = (text: string): string => (text === RUN ? `"${RUN}"` : quoted(text));

export function slurmScript({ study, out, runs, threads, jobs, args, words }: SlurmScript): string {
  return `#!/bin/bash
# study ${study}: ${plural(runs.length, 'run')}, a task each; written by tpsc ablate --executor slurm
#SBATCH --job-name=tpsc-${study}
#SBATCH --array=0-${runs.length - 1}${jobs === undefined ? '' : `%${jobs}`}
#SBATCH --cpus-per-task=${threads}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=slurm/%A_%a.log
#SBATCH --signal=B:TERM@120
${args === undefined ? '' : `#SBATCH ${args}\n`}
runs=(
${runs.map(({ run, name }) => `  ${run}  # ${name}\n`).join('')})
run=\${runs[$SLURM_ARRAY_TASK_ID]}
cd ${quoted(out)} || { echo "$(hostname) lacks the folder of the study: it must be one that all nodes share" >&2; exit 1; }
echo "$(date -Is) $(hostname): run $run, restarts: \${SLURM_RESTART_COUNT:-0}"

# two minutes before the time is up Slurm tells this script, and tpsc saves and ends with 130
trap 'asked=1; kill -TERM "$child" 2> /dev/null' TERM
for try in 1 2 3; do
  ${words(RUN).map(word).join(' ')} >> "logs/$run.log" 2>&1 &
  child=$!
  wait "$child"; status=$?
  # a signal to this script ends the wait, not the run
  while kill -0 "$child" 2> /dev/null; do wait "$child"; status=$?; done
  if [ "$status" -le 130 ] || [ -n "$asked" ]; then break; fi
  echo "$(date -Is) the system ended it with $status"
done
# back into the queue, to go on; a task that is cancelled, or that Slurm puts back by itself, is no longer RUNNING
if [ "$status" -eq 130 ] && [ "$(squeue -h -j "$SLURM_JOB_ID" -o %T)" = RUNNING ]; then scontrol requeue "$SLURM_JOB_ID"; fi
exit "$status"
`;
}
