// tpsc fmt: specs in the one layout.
import { readFileSync } from 'node:fs';
import { format, parse } from '../../grammar/index.js';
import { MisuseError, UserError } from '../../runtime/errors.js';
import { renderDiagnostics } from '../../runtime/report/frame.js';
import { writeTextAtomically } from '../../runtime/state/atomic.js';
import { command } from '../command.js';
import { showPath, type Io } from '../io.js';

function readSpec(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UserError(`${path} cannot be read: ${code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : message}`);
  }
}

/** The text in the one layout; undefined (told) where it does not parse: what is not understood is not rewritten. */
function formatted(text: string, path: string, io: Io): string | undefined {
  const { file, diagnostics } = parse(text, path);
  const errors = diagnostics.filter((d) => d.severity === 'error');
  if (errors.length === 0) return format(file);
  io.err(renderDiagnostics(errors, new Map([[path, text]]), { colour: io.colour, showPath }));
  return undefined;
}

export const fmt = command({
  name: 'fmt',
  arguments: '[files..]',
  summary: 'print specs in the one layout, or write them so',
  about: 'Without files (or with -) it reads standard input. A text that does not parse is left as it is: exit code 1.',
  flags: {
    files: { type: 'string', array: true, describe: 'specs' },
    write: { type: 'boolean', default: false, describe: 'write the files instead of printing them' },
    check: { type: 'boolean', default: false, describe: 'print the names of files in another layout; exit code 1 where there are any' },
  },
  examples: [
    ['tpsc fmt --write net.tps', 'in place'],
    ['tpsc fmt --check models/unet.tps models/std/nn.tps', 'in CI'],
    ['tpsc fmt < net.tps', 'through a pipe'],
  ],
  run: async (args, io) => {
    if (args.write && args.check) throw new MisuseError('--write and --check exclude each other');
    const files = (args.files ?? []).map(String);
    const piped = files.length === 0 || (files.length === 1 && files[0] === '-');
    if (piped && args.write) throw new MisuseError('--write needs files');
    let failed = false;
    for (const path of piped ? ['<stdin>'] : files) {
      const text = piped ? await io.readStdin() : readSpec(path);
      const result = formatted(text, path, io);
      if (result === undefined) failed = true;
      else if (args.check) {
        if (result !== text) {
          io.out(`${path}\n`);
          failed = true;
        }
      } else if (args.write) {
        if (result !== text) writeTextAtomically(path, result);
      } else io.out(result);
    }
    return failed ? 1 : 0;
  },
});
