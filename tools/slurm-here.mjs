// A Slurm of this machine alone, for tests: munge, controller and one node on the loopback address, all their files in one folder. Root only.
//   node tools/slurm-here.mjs install         installs Debian's slurm-wlm and munge where they are absent
//   node tools/slurm-here.mjs check           says why it cannot be started here; exit code 1 then
//   node tools/slurm-here.mjs start FOLDER    then, with SLURM_CONF=FOLDER/slurm.conf: sbatch, squeue, scontrol
//   node tools/slurm-here.mjs stop FOLDER     cancels what runs and ends the daemons; the folder stays
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const [, , action, folder] = process.argv;
// daemons lie where the PATH of a plain shell does not look
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, DEBIAN_FRONTEND: 'noninteractive' };
const stop = (message) => {
  console.error(message);
  process.exit(1);
};
const has = (program) => env.PATH.split(':').some((dir) => {
  try { accessSync(join(dir, program), constants.X_OK); return true; } catch { return false; }
});
const missing = () => ['munged', 'slurmctld', 'slurmd', 'sbatch'].filter((program) => !has(program));
const whyNot = () => (process.getuid?.() !== 0 ? 'a Slurm for tests is started by root only' : missing().length > 0 ? `${missing().join(', ')} not installed: node tools/slurm-here.mjs install` : undefined);
const quietly = (program, ...words) => spawnSync(program, words, { env, encoding: 'utf8' });

function install() {
  if (missing().length === 0) return;
  if (process.getuid?.() !== 0 || !has('apt-get')) stop(`${missing().join(', ')} not installed, and only root can install them, by apt-get`);
  const packages = ['install', '-y', '--no-install-recommends', 'slurm-wlm', 'munge'];
  // the lists of packages may be absent or old
  if (quietly('apt-get', ...packages).status !== 0) {
    quietly('apt-get', 'update');
    const again = quietly('apt-get', ...packages);
    if (again.status !== 0) stop(`apt-get cannot install slurm-wlm and munge:\n${again.stderr}`);
  }
  if (missing().length > 0) stop(`${missing().join(', ')} not there after the installation`);
}

const freePort = () => new Promise((done) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});

async function start(root) {
  for (const part of ['state', 'spool']) mkdirSync(join(root, part), { recursive: true });
  // munge wants a folder that all may enter
  chmodSync(root, 0o755);
  const at = (name) => join(root, name), name = hostname().split('.')[0];
  writeFileSync(at('munge.key'), randomBytes(1024), { mode: 0o600 });
  writeFileSync(at('slurm.conf'), `ClusterName=here
SlurmctldHost=${name}(127.0.0.1)
SlurmctldPort=${await freePort()}
SlurmdPort=${await freePort()}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# a task that is requeued waits for its credential to expire: 2 minutes by default
AuthInfo=socket=${at('munge.socket')},cred_expire=5
StateSaveLocation=${at('state')}
SlurmdSpoolDir=${at('spool')}
SlurmctldPidFile=${at('slurmctld.pid')}
SlurmdPidFile=${at('slurmd.pid')}
SlurmctldLogFile=${at('slurmctld.log')}
SlurmdLogFile=${at('slurmd.log')}
# no systemd, no cgroups, no accounting
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobRequeue=1
KillWait=10
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=1,sched_interval=2
NodeName=${name} NodeAddr=127.0.0.1 CPUs=${Math.max(2, availableParallelism())} State=UNKNOWN
PartitionName=here Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`);
  env.SLURM_CONF = at('slurm.conf');
  const daemon = (program, ...words) => execFileSync(program, words, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  daemon('munged', `--socket=${at('munge.socket')}`, `--key-file=${at('munge.key')}`, `--pid-file=${at('munged.pid')}`, `--log-file=${at('munged.log')}`, `--seed-file=${at('munged.seed')}`);
  daemon('slurmctld');
  daemon('slurmd', '-N', name);
  for (let tries = 0; quietly('sinfo', '-h', '-o', '%T').stdout.trim() !== 'idle'; tries++) {
    if (tries > 100) {
      await halt(root);
      stop(`Slurm did not begin to work within 20 s; ${root} has its logs`);
    }
    await setTimeout(200);
  }
}

async function halt(root) {
  env.SLURM_CONF = join(root, 'slurm.conf');
  quietly('scancel', '-u', 'root');
  for (let tries = 0; tries < 75 && quietly('squeue', '-h').stdout.trim() !== ''; tries++) await setTimeout(200);
  for (const name of ['slurmd', 'slurmctld', 'munged']) {
    const file = join(root, `${name}.pid`);
    if (!existsSync(file)) continue;
    try { process.kill(Number(readFileSync(file, 'utf8'))); } catch { /* ended by itself */ }
    // each removes its file at its end
    for (let tries = 0; tries < 50 && existsSync(file); tries++) await setTimeout(100);
  }
}

if (action === 'install') install();
else if (action === 'check' || (action === 'start' && folder !== undefined)) {
  const reason = whyNot();
  if (reason !== undefined) stop(reason);
  if (action === 'start') await start(resolve(folder));
} else if (action === 'stop' && folder !== undefined) await halt(resolve(folder));
else {
  console.error('usage: node tools/slurm-here.mjs install | check | start FOLDER | stop FOLDER');
  process.exit(2);
}
