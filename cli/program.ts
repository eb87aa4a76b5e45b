// From `SPEC[#VARIANT]` and flags to a checked program, with its diagnostics told in one way for all commands.
import { existsSync, statSync } from 'node:fs';
import { compileSpec, type CompileResult, type ParsedTexts } from '../compiler/index.js';
import type { Program } from '../compiler/program.js';
import { UserError } from '../runtime/errors.js';
import { diagnosticsJson, renderDiagnostics } from '../runtime/report/frame.js';
import { parseSet, parseSpecRef, parseTasks, type SpecRef } from './flags.js';
import { diskHost } from './host.js';
import { showPath, type Io } from './io.js';

export interface ProgramArgs {
  readonly spec: string;
  readonly block?: string;
  readonly tasks?: string;
  readonly set?: string | readonly string[];
  readonly epochs?: number;
  /** A task is to be added to a trained network. */
  readonly growing?: boolean;
}

export interface CompileOptions {
  /** All train blocks and variants are checked. */
  readonly everything?: boolean;
  /** A file that cannot be read is a diagnostic too, so that a tool always gets its JSON. */
  readonly json: boolean;
  /** Kept by a command that compiles several programs. */
  readonly parsed?: ParsedTexts;
  /** That a variant equals its base is no matter here: the base need not be compiled. */
  readonly knownVariant?: boolean;
  /** Warnings are `check`'s matter. */
  readonly quiet?: boolean;
}

/** A spec's file and variant. For people, throws UserError where the file cannot be read. */
export function specFile(spec: string, json: boolean): SpecRef {
  const { file, variant } = parseSpecRef(spec);
  if (!json && !existsSync(file)) throw new UserError(`there is no file ${file}`, 'give the path of a .tps file');
  if (!json && statSync(file).isDirectory()) throw new UserError(`${file} is a folder`, 'give the path of a .tps file');
  return variant === undefined ? { file } : { file, variant };
}

/** Compiles; diagnostics are values. Throws as `specFile`. */
export function compileFile(args: ProgramArgs, { everything = false, json, parsed, knownVariant = false }: CompileOptions): CompileResult {
  const { file, variant } = specFile(args.spec, json);
  const tasks = parseTasks(args.tasks);
  return compileSpec({
    file, set: parseSet(args.set), everything, knownVariant,
    ...(variant === undefined ? {} : { variant }),
    ...(args.block === undefined ? {} : { block: args.block }),
    ...(tasks === undefined ? {} : { tasks }),
    ...(args.epochs === undefined ? {} : { epochs: args.epochs }),
    ...(args.growing === undefined ? {} : { growing: args.growing }),
  }, diskHost(), parsed);
}

/** A spec with errors has been told in full already: the command only ends. */
export class SpecFaults extends Error {}

export function tellDiagnostics(result: Pick<CompileResult, 'diagnostics' | 'texts'>, json: boolean, io: Io): void {
  if (json) io.out(`${JSON.stringify(diagnosticsJson(result.diagnostics, showPath), null, 2)}\n`);
  else io.err(renderDiagnostics(result.diagnostics, result.texts, { colour: io.colour, showPath }));
}

/** The program of a spec without errors; its warnings go to standard error. Else tells the mistakes (as JSON where asked) and throws SpecFaults. */
export function needProgram(args: ProgramArgs, io: Io, json: boolean, options: Omit<CompileOptions, 'json'> = {}): Program {
  const result = compileFile(args, { ...options, json });
  if (result.program === undefined) {
    tellDiagnostics(result, json, io);
    throw new SpecFaults();
  }
  if (options.quiet !== true) tellDiagnostics(result, false, io);
  return result.program;
}
