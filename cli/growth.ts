// From `--add-task NAME --from RUN` and a spec to the plan of a growth: three programs (with the task, without it, as trained) and what they share.
import { taskCodes, type Program } from '../compiler/program.js';
import { MisuseError, UserError } from '../runtime/errors.js';
import { planGrowth, type Growth } from '../runtime/train/growth.js';
import { readRun, type Reading } from '../runtime/train/run-directory.js';
import { compileFile, needProgram, type ProgramArgs } from './program.js';
import type { Io } from './io.js';
import { openRunProgram } from './trained.js';

export interface OpenedGrowth {
  readonly growth: Growth;
  readonly trained: Program;
  /** The program with the new task alone: what its data are read by. */
  readonly alone: Program;
  /** How the run that grows read its data. */
  readonly reading: Reading;
}

/** Throws MisuseError where one of the two flags is given without the other, or with what they exclude. */
export function growthAsked(args: { readonly 'add-task'?: string; readonly from?: string; readonly weights?: string }): { readonly task: string; readonly from: string } | undefined {
  const { 'add-task': task, from, weights } = args;
  if (task === undefined && from === undefined) return undefined;
  if (task === undefined || from === undefined) throw new MisuseError(`--${task === undefined ? 'from' : 'add-task'} needs --${task === undefined ? 'add-task' : 'from'}`, 'write --add-task NAME --from RUN');
  if (weights !== undefined) throw new MisuseError('--weights does not go with --add-task', 'every value comes from the run that --from names');
  return { task, from };
}

/** How data are read: what the flags say, beside what the run before accepted. */
export const joinedReading = (before: Reading, now: Reading): Reading =>
  ({ ...before, ...now, ...(before.accept === undefined && now.accept === undefined ? {} : { accept: [...new Set([...before.accept ?? [], ...now.accept ?? []])] }) });

/** Tells the spec's mistakes as `needProgram` does. Throws UserError where the task is not the spec's, or the run cannot grow by it. */
export function openGrowth(args: ProgramArgs, task: string, from: string, io: Io): OpenedGrowth {
  const record = readRun(from);
  const program = needProgram({ ...args, growing: true }, io, false);
  const codes = taskCodes(program);
  if (!codes.includes(task)) {
    throw new UserError(`${program.file} has no task ${task}${args.tasks === undefined ? '' : ` among ${args.tasks}`}`,
      `Write its row into the spec's tasks: ${task} "Its name" { folder: "its_folder" }${args.tasks === undefined ? '' : `, and name it in --tasks`}`);
  }
  const others = codes.filter((code) => code !== task);
  if (others.length === 0) throw new UserError(`${task} is the only task of ${program.file}`, 'The spec holds the tasks of the run, and the one to add.');
  const base = compileFile({ ...args, tasks: others.join(',') }, { json: false }).program;
  if (base === undefined) throw new UserError(`${program.file} is not right without ${task}`, `See: tpsc train ${args.spec} --tasks ${others.join(',')}`);
  const trained = base.hash === record.identity.program ? base : openRunProgram(from).program;
  const rows = program.tasks?.rows.filter((row) => row.code === task) ?? [];
  return {
    growth: planGrowth({ program, base, task, from, trained }), trained, reading: record.reading ?? {},
    alone: { ...program, ...(program.tasks === undefined ? {} : { tasks: { ...program.tasks, rows } }) },
  };
}
