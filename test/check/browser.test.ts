// The compiler runs in a browser: it bundles without shims, and checks a spec where there is nothing of Node.
import { readdirSync, readFileSync } from 'node:fs';
import vm from 'node:vm';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import type { CompileResult } from '../../compiler/index.js';
import { repoPath } from './support.js';

it('bundles for a browser, and `check` runs in the bundle', async () => {
  const bundle = await build({ entryPoints: [repoPath('compiler/index.ts')], bundle: true, format: 'iife', globalName: 'tpsc', platform: 'browser', write: false, logLevel: 'silent' });
  expect(bundle.warnings).toEqual([]);
  const text = bundle.outputFiles[0]?.text ?? '';
  const files: Record<string, string> = { 'nano.tps': readFileSync(repoPath('models/tpseg-nano.tps'), 'utf8') };
  for (const name of readdirSync(repoPath('models/std'))) files[`std.${name.replace('.tps', '')}`] = readFileSync(repoPath(`models/std/${name}`), 'utf8');
  // a realm with what every browser has and no `process`, `Buffer` or `require`
  const realm = vm.createContext({ TextEncoder, files, console });
  const check = (file: string): CompileResult => vm.runInContext(
    `${text}; tpsc.compileSpec({ file: ${JSON.stringify(file)}, everything: true }, { read: (p) => files[p], resolve: (_, r) => r, module: (n) => (n in files ? n : undefined) })`, realm) as CompileResult;
  const good = check('nano.tps');
  expect(good.diagnostics).toHaveLength(0);
  expect(good.program?.hash).toMatch(/^[0-9a-f]{64}$/);
  files['bad.tps'] = (files['nano.tps'] ?? '').replace('rfb([16, 24, 32, 48])', 'rfb([16, 24, 32, x])');
  expect(check('bad.tps').diagnostics.map((d) => d.code)).toEqual(['TPS2001']);
});
