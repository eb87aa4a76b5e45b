// Builds @tensorflow/tfjs-node against the TensorFlow library that PyPI's `tensorflow-cpu` wheel holds, where its own download is out of reach:
//   node tools/tfjs-node.mjs FOLDER [--python python3] [--wheel FILE.whl] [--headers /usr/include/node]
// Needs npm, g++, Node's headers and, without --wheel, a Python with pip. Nothing is installed outside FOLDER. At the end it says how to use it.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const VERSION = '4.22.0';
const { values, positionals: [out] } = parseArgs({ allowPositionals: true, options: {
  python: { type: 'string', default: 'python3' }, wheel: { type: 'string' }, headers: { type: 'string' },
} });
if (out === undefined) {
  console.error('usage: node tools/tfjs-node.mjs FOLDER [--python python3] [--wheel FILE.whl] [--headers DIR]');
  process.exit(2);
}
const folder = resolve(out);
const run = (command, args, options = {}) => execFileSync(command, args, { stdio: 'inherit', ...options });
const stop = (message) => {
  console.error(message);
  process.exit(1);
};

const headers = values.headers ?? [join(dirname(dirname(process.execPath)), 'include', 'node'), '/usr/include/node'].find((dir) => existsSync(join(dir, 'node_api.h')));
if (headers === undefined) stop('node_api.h is not beside this Node; name its folder with --headers');

mkdirSync(folder, { recursive: true });
if (!existsSync(join(folder, 'package.json'))) writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', `@tensorflow/tfjs-node@${VERSION}`], { cwd: folder });

const library = join(folder, 'tensorflow');
if (!existsSync(join(library, 'libtensorflow_cc.so.2'))) {
  const wheel = values.wheel === undefined ? downloaded() : resolve(values.wheel);
  const unpack = `import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
z.extractall(sys.argv[2], [n for n in z.namelist() if n.startswith(('tensorflow/libtensorflow', 'tensorflow/include/'))])`;
  run(values.python, ['-c', unpack, wheel, folder]);
}

function downloaded() {
  const wheels = join(folder, 'wheels');
  run(values.python, ['-m', 'pip', 'download', 'tensorflow-cpu', '--no-deps', '--only-binary', ':all:', '-q', '-d', wheels]);
  const [file] = readdirSync(wheels).filter((name) => name.endsWith('.whl'));
  return join(wheels, file);
}

// libtensorflow_cc holds the C functions that libtensorflow would: the binding's two files are compiled against it, without node-gyp.
const built = join(folder, 'node_modules', '@tensorflow', 'tfjs-node'), lib = join(built, 'lib', 'napi-v8');
mkdirSync(lib, { recursive: true });
run('g++', [
  '-O2', '-std=c++17', '-fPIC', '-shared', '-w', '-DNAPI_VERSION=8', '-I', built, '-I', dirname(built), '-I', join(library, 'include'), '-I', headers,
  join(built, 'binding', 'tfjs_backend.cc'), join(built, 'binding', 'tfjs_binding.cc'), '-o', join(lib, 'tfjs_binding.node'),
  join(library, 'libtensorflow_cc.so.2'), join(library, 'libtensorflow_framework.so.2'), `-Wl,-rpath,${library}`,
]);
const said = execFileSync(process.execPath, ['-e', `const tf = require(${JSON.stringify(built)}); console.log(tf.getBackend(), tf.matMul([[1, 2]], [[3], [4]]).dataSync()[0])`], { env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' }, stdio: ['ignore', 'pipe', 'inherit'] }).toString().trim();
if (!said.endsWith('tensorflow 11')) stop(`the built tfjs-node says ${said}`);
console.log(`\nbuilt. Use it with TPSC_TFJS_NODE=${built}
and test it with   TPSC_TFJS_NODE=${built} TPSC_TEST_TFJS=node npx vitest run test/engines/tfjs-parity.test.ts test/engines/tfjs.test.ts`);
