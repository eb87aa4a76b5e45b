// The compiler's host on the disk, and where the package keeps its own files. The only place that knows the package's layout.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Host } from '../compiler/index.js';

/** The folder with package.json: two levels up from dist/cli/, one from cli/. */
export const packageRoot: string = (() => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('the package has no package.json');
    folder = parent;
  }
  return folder;
})();

export const toolVersion: string = (() => {
  const manifest: unknown = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '0';
})();

/** Reads specs from the disk; `std.a.b` is models/std/a/b.tps of this package. */
export function diskHost(): Host {
  return {
    read: (path) => {
      try {
        return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
      } catch {
        return undefined;
      }
    },
    resolve: (from, relative) => normalize(join(dirname(from), relative)),
    module: (name) => {
      const [first, ...rest] = name.split('.');
      if (first !== 'std' || rest.length === 0 || rest.some((part) => !/^\w+$/.test(part))) return undefined;
      const path = `${join(packageRoot, 'models', 'std', ...rest)}.tps`;
      return existsSync(path) ? path : undefined;
    },
  };
}
