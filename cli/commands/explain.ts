// tpsc explain: the page of a diagnostic's code.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nearest } from '../../compiler/check/suggest.js';
import { table } from '../../grammar/diagnostics-table.js';
import { MisuseError } from '../../runtime/errors.js';
import { command } from '../command.js';
import { packageRoot } from '../host.js';


export const explain = command({
  name: 'explain',
  arguments: '[code]',
  summary: 'explain a diagnostic: what it means, an example that fails, and its mend',
  flags: { code: { type: 'string', describe: 'TPS3001, or 3001; absent: all codes with their messages' } },
  examples: [
    ['tpsc explain TPS3001', 'one code'],
    ['tpsc explain', 'the list of all codes'],
  ],
  run: async (args, io) => {
    const codes = Object.keys(table);
    if (args.code === undefined) {
      for (const [code, row] of Object.entries(table)) io.out(`${code}  ${row.severity.padEnd(7)}  ${row.message}\n`);
      return 0;
    }
    const code = /^\d+$/.test(args.code) ? `TPS${args.code}` : args.code.toUpperCase();
    const page = join(packageRoot, 'docs', 'diagnostics', `${code}.md`);
    if (!codes.includes(code) || !existsSync(page)) {
      const near = nearest(code, codes);
      throw new MisuseError(`there is no diagnostic ${args.code}`, near === undefined ? '`tpsc explain` lists all codes' : `did you mean ${near}? \`tpsc explain\` lists all codes`);
    }
    io.out(readFileSync(page, 'utf8'));
    return 0;
  },
});
