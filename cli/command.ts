// What a command is: its words, flags, examples and what it runs; and the checks that yargs does not make. No command lives here.
import type { InferredOptionTypes, Options } from 'yargs';
import { MisuseError } from '../runtime/errors.js';
import type { Io } from './io.js';
import { nearest } from '../compiler/check/suggest.js';

export type Flags = Readonly<Record<string, Options>>;

export interface Command<F extends Flags = Flags> {
  /** `check`, or `data check` for one in a group. */
  readonly name: string;
  /** Arguments by position, as yargs writes them: `<spec>`, `[files..]`. */
  readonly arguments: string;
  readonly summary: string;
  /** More than the summary, shown by --help. */
  readonly about?: string;
  /** Arguments by position, too: `{ spec: { type: 'string' } }`. */
  readonly flags: F;
  readonly examples: readonly (readonly [command: string, what: string])[];
  /** Gives the exit code. Throws UserError (1) and MisuseError (2). */
  run(args: InferredOptionTypes<F>, io: Io): Promise<number>;
}

/** A command whose flags are forgotten by the type: what lists hold. */
export interface AnyCommand extends Omit<Command, 'run'> { run(args: Readonly<Record<string, unknown>>, io: Io): Promise<number> }

export const command = <F extends Flags>(c: Command<F>): AnyCommand =>
  // yargs has parsed and `checkArguments` has checked what `F` says.
  ({ ...c, run: (args, io) => c.run(args as InferredOptionTypes<F>, io) });

/** Flags that every command knows. */
export const commonFlags = {
  debug: { type: 'boolean', describe: 'on a fault of tpsc itself, show where it happened' },
} as const satisfies Flags;

/** The names of the arguments by position: `<spec>`, `[files..]`. */
export const positionalNames = (c: AnyCommand): readonly string[] => [...c.arguments.matchAll(/[<[]([\w-]+)(?:\.\.)?[>\]]/g)].flatMap((m) => m[1] ?? []);

const isPositional = (c: AnyCommand, name: string): boolean => positionalNames(c).includes(name);

/** Refuses what a command does not know: flags (with the nearest known one), further words, a flag given twice, a number that is none. */
export function checkArguments(c: AnyCommand, args: Readonly<Record<string, unknown>>): void {
  const known = { ...commonFlags, ...c.flags };
  const names = Object.keys(known).filter((name) => !isPositional(c, name));
  const usage = `tpsc ${c.name} --help lists what it takes`;
  for (const [name, value] of Object.entries(args)) {
    if (['_', '$0', 'help', 'version'].includes(name) || Object.values(c.flags).some((f) => f.alias === name)) continue;
    const flag: Options | undefined = (known as Flags)[name];
    if (flag === undefined) {
      const near = nearest(name, names);
      throw new MisuseError(`tpsc ${c.name} has no flag ${name.length === 1 ? '-' : '--'}${name}`, near === undefined ? usage : `did you mean --${near}?`);
    }
    const shown = isPositional(c, name) ? name : `--${name}`;
    const manyAllowed = flag.array === true || flag.type === 'array' || REPEATED.has(name) || isPositional(c, name);
    if (Array.isArray(value) && !manyAllowed) throw new MisuseError(`${shown} is given more than once`, usage);
    if (flag.type === 'number' && typeof value === 'number' && Number.isNaN(value)) throw new MisuseError(`${shown} needs a number`, usage);
    if (flag.type === 'string' && value === '') throw new MisuseError(`${shown} needs a value`, usage);
    if ((flag.array === true || flag.type === 'array') && Array.isArray(value) && value.length === 0 && !isPositional(c, name)) throw new MisuseError(`${shown} needs at least one value`, usage);
  }
  const words = Array.isArray(args['_']) ? args['_'].map(String) : [];
  const extra = words[c.name.split(' ').length];
  if (extra !== undefined) throw new MisuseError(`tpsc ${c.name} does not know what to do with \`${extra}\``, usage);
}

/** Flags that may be written several times, one value each. */
const REPEATED = new Set(['set']);
