// What every command has in common: help, misuse, exit codes.
import { describe, expect, it } from 'vitest';
import { checkArguments, command, commonFlags, positionalNames } from '../../cli/command.js';
import { commands } from '../../cli/commands/index.js';
import { wantsColour } from '../../cli/io.js';
import { tpsc } from './harness.js';

describe('help', () => {
  it('alone, tpsc shows its commands', async () => {
    const { code, out, err } = await tpsc([]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const c of commands) expect(out).toContain(`tpsc ${c.name.split(' ')[0] ?? ''}`);
  });
  it.each(commands.map((c) => [c.name, c] as const))('%s --help shows examples and all flags', async (name, c) => {
    const { code, out } = await tpsc([...name.split(' '), '--help']);
    expect(code).toBe(0);
    expect(c.examples.length).toBeGreaterThan(0);
    for (const [text] of c.examples) expect(out.replace(/\s+/g, ' ')).toContain(text);
    for (const flag of Object.keys(c.flags)) expect(out).toContain(positionalNames(c).includes(flag) ? flag : `--${flag}`);
    for (const flag of Object.values(c.flags)) expect(flag.describe, 'every flag is described').toBeTruthy();
  });
  it.each(commands.map((c) => [c.name, c] as const))('the examples of %s use only what it knows', (_, c) => {
    const known = [...Object.keys(c.flags), ...Object.keys(commonFlags)];
    // what is quoted is another program's words
    for (const [text] of c.examples) for (const m of text.replaceAll(/"[^"]*"/g, '').matchAll(/--([\w-]+)/g)) expect(known).toContain(m[1]);
  });
  it('--version is the package’s', async () => {
    expect((await tpsc(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('misuse is exit code 2, with the mend', () => {
  it.each([
    [['chek', 'x.tps'], 'did you mean `tpsc check`?'],
    [['data', 'chek', 'x'], 'did you mean `tpsc data check`?'],
    [['data'], 'tpsc data needs one of: check'],
    [['check'], 'Not enough non-option arguments'],
    [['check', 'a.tps', 'b.tps'], 'does not know what to do with `b.tps`'],
    [['check', 'a.tps', '--formt', 'json'], 'did you mean --format?'],
    [['check', 'a.tps', '--format', 'xml'], 'Invalid values'],
    [['check', 'a.tps#'], '`a.tps#` names no variant'],
    [['check', 'a.tps', '--block', 'a', '--block', 'b'], '--block is given more than once'],
    [['inspect', 'a.tps', '--depth', 'deep'], '--depth needs a number'],
    [['inspect', 'a.tps', '--depth', '1.5'], '--depth needs a whole number'],
    [['explain', 'TPS0000'], '`tpsc explain` lists all codes'],
  ])('%j', async (argv, said) => {
    const { code, out, err } = await tpsc(argv);
    expect(err).toContain(said);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).not.toMatch(/\bat .*\.ts:\d/);
  });
});

it('an input that is not there is exit code 1', async () => {
  expect(await tpsc(['check', 'no/such.tps'])).toMatchObject({ code: 1, out: '', err: expect.stringContaining('there is no file no/such.tps') });
  expect(await tpsc(['check', 'test'])).toMatchObject({ code: 1, err: expect.stringContaining('test is a folder') });
  expect(await tpsc(['data', 'check', 'no/such'])).toMatchObject({ code: 1, err: expect.stringContaining('no/such') });
});

it('a fault of ours is exit code 70: a report is asked for, the place only with --debug', async () => {
  const broken = { out: (): void => { throw new TypeError('undefined is not a function'); } };
  const plain = await tpsc(['explain'], broken);
  expect(plain).toMatchObject({ code: 70, err: expect.stringContaining('Please report it with the command (tpsc explain)') });
  expect(plain.err).not.toContain('run.test.ts');
  expect((await tpsc(['explain', '--debug'], broken)).err).toContain('run.test.ts');
});

it('arguments are checked against what the command declares', () => {
  const c = command({ name: 'x', arguments: '[files..]', summary: '', examples: [], flags: { files: { type: 'string', array: true }, n: { type: 'number' } }, run: async () => 0 });
  expect(positionalNames(c)).toEqual(['files']);
  expect(() => checkArguments(c, { _: ['x'], $0: '', files: ['a', 'b'], n: 3 })).not.toThrow();
  expect(() => checkArguments(c, { _: ['x'], $0: '', n: Number.NaN })).toThrow('--n needs a number');
});

it('colours follow the terminal, NO_COLOR and FORCE_COLOR', () => {
  expect(wantsColour(true, {})).toBe(true);
  expect(wantsColour(false, {})).toBe(false);
  expect(wantsColour(true, { NO_COLOR: '1' })).toBe(false);
  expect(wantsColour(true, { NO_COLOR: '' })).toBe(true);
  expect(wantsColour(false, { FORCE_COLOR: '1' })).toBe(true);
  expect(wantsColour(true, { TERM: 'dumb' })).toBe(false);
});
