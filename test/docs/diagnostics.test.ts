// Every code has a page; its failing example raises that code and no other, its mend raises nothing.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../cli/host.js';
import { table } from '../../grammar/diagnostics-table.js';
import { compileExample, examplesOf } from './examples.js';

const folder = join(packageRoot, 'docs', 'diagnostics');
const pageCodes = readdirSync(folder).filter((name) => /^TPS\d+\.md$/.test(name)).map((name) => name.slice(0, -3)).sort();

it('each code has a page, and each page a code', () => {
  expect(pageCodes).toEqual(Object.keys(table).sort());
});

describe.each(pageCodes)('%s', (code) => {
  const page = readFileSync(join(folder, `${code}.md`), 'utf8');
  const examples = examplesOf(page);
  const [failing, mended, ...more] = examples.filter((e) => e.flags['file'] === undefined);
  const others = examples.filter((e) => e.flags['file'] !== undefined);
  const codesOf = (example: typeof failing): readonly string[] => compileExample(example!, others).diagnostics.map((d) => d.code);

  it('says what it means and has two examples', () => {
    expect(page).toMatch(new RegExp(`^# ${code}: \\S.*\n\n\\S[\\s\\S]{40,}\n\n## Fails\n`));
    expect([failing, mended].every((e) => e !== undefined) && more.length === 0).toBe(true);
  });
  it('the failing example raises this code alone', () => { expect([...new Set(codesOf(failing))]).toEqual([code]); });
  it('its mend raises nothing', () => { expect(codesOf(mended)).toEqual([]); });
});
