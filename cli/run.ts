// Words in, exit code out: finds the command, checks its arguments, runs it, turns what it throws into text.
// 0 fine, 1 the input is at fault, 2 misuse, 70 our fault.
import yargs, { type Argv } from 'yargs';
import { MisuseError, UserError } from '../runtime/errors.js';
import { paint } from '../runtime/report/colour.js';
import { checkArguments, commonFlags, positionalNames, type AnyCommand } from './command.js';
import { commands, groups } from './commands/index.js';
import { toolVersion } from './host.js';
import { processIo, type Io } from './io.js';
import { SpecFaults } from './program.js';
import { nearest } from '../compiler/check/suggest.js';

const OVERVIEW = 'tpsc: a network that segments lesions, as one text; checked, trained, evaluated and exported.';

function addCommand(y: Argv, c: AnyCommand, io: Io, done: (code: number) => void): Argv {
  const last = c.name.split(' ').at(-1) ?? c.name;
  return y.command({
    command: `${last} ${c.arguments}`.trim(),
    describe: c.summary,
    builder: (inner) => {
      const positionals = positionalNames(c);
      for (const [name, flag] of Object.entries({ ...c.flags, ...commonFlags })) {
        if (positionals.includes(name)) inner.positional(name, { ...flag, demandOption: undefined } as Parameters<typeof inner.positional>[1]);
        else inner.option(name, flag);
      }
      inner.usage(`tpsc ${c.name} ${c.arguments}\n\n${c.summary}${c.about === undefined ? '' : `\n\n${c.about}`}`);
      // Not yargs' own examples: those are broken into columns and cannot be copied.
      return inner.epilogue(`Examples:\n${c.examples.map(([text, what]) => `  ${text}\n      ${what}`).join('\n')}`);
    },
    handler: async (args) => {
      checkArguments(c, args);
      done(await c.run(args, io));
    },
  });
}

function parser(argv: readonly string[], io: Io, done: (code: number) => void): Argv {
  const fail = (message: string | null, error: Error | undefined): never => { throw error ?? new MisuseError(message ?? 'the command cannot be read', 'tpsc --help lists the commands'); };
  let y = yargs([...argv])
    .scriptName('tpsc').locale('en').exitProcess(false).fail(fail)
    .parserConfiguration({ 'camel-case-expansion': false, 'boolean-negation': false, 'dot-notation': false, 'parse-positional-numbers': false, 'nargs-eats-options': true })
    .usage(`${OVERVIEW}\n\ntpsc <command> [arguments]`)
    .help('help', 'show this help').version('version', 'show the version', toolVersion)
    .wrap(Math.min(110, Math.max(60, io.columns)))
    .epilogue('tpsc <command> --help shows examples. Exit codes: 0 fine, 1 the input is at fault, 2 misuse, 70 a fault of tpsc.');
  for (const c of commands.filter((each) => !each.name.includes(' '))) y = addCommand(y, c, io, done);
  for (const group of groups) {
    const members = commands.filter((c) => c.name.startsWith(`${group.name} `));
    const names = members.map((c) => c.name.split(' ')[1] ?? '');
    y = y.command(group.name, group.summary, (inner) =>
      members.reduce((all, c) => addCommand(all, c, io, done), inner).demandCommand(1, `tpsc ${group.name} needs one of: ${names.join(', ')}`),
    (args) => { throw unknownCommand(String(args['_'] instanceof Array ? args['_'][1] : ''), names, `${group.name} `); });
  }
  return y;
}

function unknownCommand(word: string, names: readonly string[], group = ''): MisuseError {
  const near = nearest(word, names);
  return new MisuseError(`tpsc has no command \`${group}${word}\``, near === undefined ? `it has: ${names.map((n) => group + n).join(', ')}` : `did you mean \`tpsc ${group}${near}\`?`);
}

/** The message and help of something thrown, and the exit code that it means. */
function tell(error: unknown, argv: readonly string[], io: Io): number {
  const p = paint(io.colour);
  const isMisuse = error instanceof MisuseError || (error instanceof Error && error.name === 'YError');
  if (error instanceof SpecFaults) return 1;
  if (isMisuse || error instanceof UserError) {
    io.err(`${p.red('error')}${p.bold(`: ${error.message}`)}\n`);
    if ('help' in error && typeof error.help === 'string') io.err(`  ${p.blue('=')} ${p.bold('help')}: ${error.help.replaceAll('\n', '\n          ')}\n`);
    return isMisuse ? 2 : 1;
  }
  const what = error instanceof Error ? error.message : String(error);
  io.err(`${p.red('fault')}${p.bold(`: tpsc itself failed: ${what.split('\n')[0] ?? ''}`)}\n  This is not your mistake. Please report it with the command (tpsc ${argv.join(' ')}) and the spec.\n`);
  if (argv.includes('--debug')) io.err(`${error instanceof Error ? error.stack ?? '' : ''}\n`);
  else io.err('  --debug shows where it happened.\n');
  return 70;
}

/** Runs one command line (without `node` and the script) and gives its exit code. Throws nothing. */
export async function run(argv: readonly string[], io: Io = processIo()): Promise<number> {
  const names = commands.map((c) => c.name.split(' ')[0] ?? '');
  let code = 0;
  try {
    const [first] = argv;
    if (first !== undefined && !first.startsWith('-') && !names.includes(first)) throw unknownCommand(first, [...new Set(names)]);
    const words = first === undefined ? ['--help'] : argv;
    let thrown: unknown;
    let shown = '';
    await parser(words, io, (c) => { code = c; }).parseAsync([...words], {}, (error: unknown, _args: unknown, output: string) => {
      thrown = error ?? undefined;
      shown = output;
    });
    if (thrown !== undefined) throw thrown;
    if (shown !== '') io.out(`${shown}\n`);
    return code;
  } catch (error) {
    return tell(error, argv, io);
  }
}
