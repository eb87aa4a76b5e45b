// Writes test/targets/tfjs-node-kernels.json: the kernels that @tensorflow/tfjs-node registers, read from its published sources.
// Run: node test/oracle/tfjs_node_kernels.mjs. The package is fetched into a temporary folder and none of its scripts is run.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const VERSION = '4.22.0';
const core = createRequire(import.meta.url)('@tensorflow/tfjs-core');
const folder = mkdtempSync(join(tmpdir(), 'tfjs-node-'));
execFileSync('npm', ['pack', `@tensorflow/tfjs-node@${VERSION}`, '--silent'], { cwd: folder });
const [archive] = readdirSync(folder);
execFileSync('tar', ['xzf', archive, 'package/dist'], { cwd: folder });
const dist = join(folder, 'package', 'dist');

// register_all_kernels.js lists the configs: `var X = require("./kernels/X")`, each with `kernelName: NAME`
const registered = [...readFileSync(join(dist, 'register_all_kernels.js'), 'utf8').matchAll(/require\("\.\/kernels\/(\w+)"\)/g)].map((m) => m[1]);
const kernels = registered.map((file) => {
  const text = readFileSync(join(dist, 'kernels', `${file}.js`), 'utf8');
  const found = /kernelName: (?:'([^']+)'|\w+\.(\w+))/.exec(text);
  const name = found?.[1] ?? core[found?.[2]];
  if (typeof name !== 'string') throw new Error(`${file}.js names no kernel`);
  return name;
});
rmSync(folder, { recursive: true, force: true });
const out = fileURLToPath(new URL('../targets/tfjs-node-kernels.json', import.meta.url));
writeFileSync(out, `${JSON.stringify({ package: `@tensorflow/tfjs-node@${VERSION}`, by: 'test/oracle/tfjs_node_kernels.mjs', kernels: [...new Set(kernels)].sort() }, null, 1)}\n`);
console.log(`${out}: ${new Set(kernels).size} kernels`);
