// The compiler's front door: a text in, diagnostics and (where there is no error) a program out. No input or output of its own.
import type { Diagnostic } from '../grammar/diagnostics.js';
import type { Program } from './program.js';

/** Where texts come from: files on a disk, a map in a test, a page in a browser. Paths are opaque strings. */
export interface Host {
  /** The text of a file, or undefined where there is none. */
  read(path: string): string | undefined;
  /** The path that `from "./x.tps"` in the file `from` names. */
  resolve(from: string, relative: string): string;
  /** The path of a module of the standard library (`std.nn`), readable by `read`; undefined where there is none. */
  module(name: string): string | undefined;
}

export interface CompileRequest {
  readonly file: string;
  readonly variant?: string;
  /** Name of the train block; where absent, the last one in the file (or that of the variant). */
  readonly block?: string;
  /** `--set k=v`: values of settings as text. */
  readonly set?: Readonly<Record<string, string>>;
  /** Codes of the tasks to keep, in the spec's order. */
  readonly tasks?: readonly string[];
  /** `check`: every train block and every variant, and blocks that no model runs; the program is that of the last train block. */
  readonly everything?: boolean;
  /** The variant was checked before: whether it equals its base (TPS7007) is not asked, which saves compiling the base. */
  readonly knownVariant?: boolean;
  /** `--epochs`: part of the run's identity. */
  readonly epochs?: number;
  /** A task is to be added to a trained network: the program has the graph `grow`, too. */
  readonly growing?: boolean;
}

export interface CompileResult {
  readonly diagnostics: readonly Diagnostic[];
  /** Present where no diagnostic is an error. */
  readonly program?: Program;
  /** The texts read, by path: what source frames are cut from. */
  readonly texts: ReadonlyMap<string, string>;
}

export { compile as compileSpec } from './compile.js';
export type { ParsedTexts } from './resolve/modules.js';
export { studiesOf, type StudiesResult } from './studies.js';
