// docs/ablation.md as a newcomer follows it: its spec is written, and its commands are run as they stand, one after the other, in one folder.
import { readFileSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../cli/host.js';
import { programWords } from '../cli/program.js';
import { examplesOf } from './examples.js';
import { temporaryFolder } from '../temporary.js';

const page = readFileSync(join(packageRoot, 'docs', 'ablation.md'), 'utf8');
const commands = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, text = '']) => text.trim().split('\n'));
const folder = temporaryFolder('docs-ablation');

describe('docs/ablation.md', { timeout: 300_000 }, () => {
  beforeAll(() => { for (const { flags, text } of examplesOf(page)) writeFileSync(join(folder, flags['file']!), text); });
  it('has its commands', () => { expect(commands.map((c) => c.split(' ').slice(0, 2).join(' '))).toEqual(['tpsc data', 'tpsc check', 'tpsc inspect', 'tpsc ablate', 'tpsc ablate', 'tpsc ablate', 'tpsc ablate', 'tpsc table', 'tpsc table', 'tpsc table', 'tpsc report']); });
  it.each(commands)('%s', (text) => {
    const [node = '', ...program] = programWords();
    const { status, stderr, stdout } = spawnSync(node, [...program, ...text.split(' ').slice(1)], { cwd: folder, encoding: 'utf8', timeout: 290_000 });
    expect(status, stderr).toBe(0);
    expect(stdout).not.toBe('');
  });
  it('ends with a table of its rows', () => {
    const [markdown, latex] = ['parts.md', 'parts.tex'].map((name) => readFileSync(join(folder, name), 'utf8'));
    for (const row of ['half the width', 'one head for both tasks']) for (const text of [markdown, latex]) expect(text).toContain(row);
    expect(latex).toContain('\\toprule');
  });
});
