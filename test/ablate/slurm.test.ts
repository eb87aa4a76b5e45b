// A small study through a real Slurm, started for it on the loopback address; skipped where there can be none. `slurm.ts` does a larger one.
import { describe, expect, it } from 'vitest';
import { whyNoSlurm, withSlurm, throughSlurm } from './slurm.js';
import { study } from './specs.js';

const reason = whyNoSlurm();

describe.skipIf(reason !== undefined)(`a study through Slurm${reason === undefined ? '' : ` (skipped: ${reason})`}`, { timeout: 600_000 }, () => {
  it('gives the numbers and the table of --jobs 2, though tasks are requeued and killed', async () => {
    const report = await withSlurm(() => throughSlurm({
      spec: study('seeds = 2, budget = { epochs: 24 }, tasks = [TN, SL]', ['main', 'wide']).replace('study widths', 'study clustered'), phantom: ['--seed', '3', '--size', '32', '--train', '16', '--val', '2'], flags: [],
    }));
    expect(report.dryRun).toMatch(/4 runs left.*\n\n#!\/bin\/bash\n/);
    expect(report.dryRun).toContain('#SBATCH --array=0-3\n#SBATCH --cpus-per-task=1\n');
    expect(report.disturbed).toEqual(['requeue', 'kill the worker', 'kill the task']);
    expect(report.logs).toMatch(/restarts: 1/);
    expect(report.logs).toMatch(/the system ended it with 137/);
    // the task whose script was killed too is Slurm's to report; the same command submits it again
    expect(report.collected.code).toBe(1);
    expect(report.collected.said).toMatch(/failed: (main|wide), seed [01]: Slurm ended its task \d+_\d on \S+: FAILED/);
    expect(report.jobs).toBe(2);
    expect(report.lastWords).toMatch(/the table: tpsc table/);
    expect({ equal: report.equal, sameTable: report.sameTable }).toEqual({ equal: true, sameTable: true });
  });
});
