// The documentation is what the tool does: examples check, generated pages are up to date, links lead somewhere, README's commands exist.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commands } from '../../cli/commands/index.js';
import { packageRoot } from '../../cli/host.js';
import { pages } from '../../docs/generate.js';
import { compileExample, examplesOf, inModel } from './examples.js';

const read = (path: string): string => readFileSync(join(packageRoot, path), 'utf8');

describe('examples of the language reference', () => {
  const examples = examplesOf(read('docs/language.md')).filter((e) => e.words.includes('check') || e.words.includes('body'));
  it('are there', () => { expect(examples.length).toBeGreaterThanOrEqual(4); });
  it.each(examples.map((e) => [e.text.split('\n').find((line) => /^(block|model|let)/.test(line)) ?? e.text.slice(0, 40), e] as const))('%s', (_, example) => {
    const text = example.words.includes('body') ? inModel(example.text) : example.text;
    expect(compileExample({ ...example, text }).diagnostics.map((d) => `${d.code} ${d.message} at ${d.range.start.line}:${d.range.start.column}`)).toEqual([]);
  });
});

it('the spec in the README checks', () => {
  const [, text = ''] = /^```\n(edition 1\n[\s\S]*?)^```$/m.exec(read('README.md')) ?? [];
  expect(text).not.toBe('');
  expect(compileExample({ words: [], flags: {}, text }).diagnostics).toEqual([]);
});

it('the README names every command', () => {
  for (const c of commands) expect(read('README.md')).toMatch(new RegExp(`tpsc ${c.name.replace(' ', '\\s+')}\\b`));
});

it.each(Object.entries(pages()))('docs/%s is what `npm run docs` writes', (path, text) => {
  expect(read(join('docs', path)) === text, 'run `npm run docs`').toBe(true);
});

const markdown = ['README.md', 'CONTRIBUTING.md', ...readdirSync(join(packageRoot, 'docs'), { recursive: true }).map(String).filter((p) => p.endsWith('.md')).map((p) => join('docs', p))];
it.each(markdown)('links of %s lead to files', (path) => {
  const prose = read(path).replace(/^```[\s\S]*?^```$/gm, '');
  for (const [, target = ''] of prose.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
    if (!/^https?:/.test(target)) expect(existsSync(join(packageRoot, dirname(path), target)), target).toBe(true);
  }
});
