// The exported file of a spec, its task left open and one task baked in: sizes, and inferences by turns in ONNX Runtime.
// tsx bench/baked.ts SPEC [--batch 1] [--steps 3] [--threads 2] [--set size=256] [--task WA] [--weights FILE.safetensors] [--out FOLDER]
// `--weights` is what bench/step.ts --save wrote (else random ones); `--out` keeps open.onnx and baked.onnx. The first run is not timed. Prints one line of JSON.
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseSet } from '../cli/flags.js';
import { toolVersion } from '../cli/host.js';
import { elements } from '../compiler/elements.js';
import { taskCodes } from '../compiler/program.js';
import { i64 } from '../runtime/engines/engine.js';
import { exportOnnx, type Trained } from '../runtime/export/model-file.js';
import { dataFile, writeOnnx } from '../runtime/export/onnx-files.js';
import { fileValues, initialValues } from '../runtime/export/values.js';
import { imageInput } from '../runtime/train/image-input.js';
import { openOnnxFile } from '../runtime/train/onnx-file.js';
import type { Baked } from './child.js';
import { apart, batchOf, firstValues, taken, trainable } from './subject.js';

const { values, positionals: [spec = ''] } = parseArgs({ allowPositionals: true, options: {
  batch: { type: 'string', default: '1' }, steps: { type: 'string', default: '3' }, threads: { type: 'string', default: '2' }, set: { type: 'string', multiple: true, default: [] },
  task: { type: 'string' }, weights: { type: 'string' }, out: { type: 'string' },
} });
const { program } = trainable({ file: spec, set: parseSet(values.set) }), codes = program.readsTask ? taskCodes(program) : [], task = values.task ?? codes[0];
const trained: Trained = { program, values: values.weights === undefined ? initialValues(program, 0) : fileValues(program, values.weights), schedules: firstValues(program) };
const folder = values.out ?? mkdtempSync(join(tmpdir(), 'tpsc-baked-'));
try {
  const sides = [];
  for (const name of codes.length > 0 ? ['open', 'baked'] : ['open']) {
    const file = join(folder, `${name}.onnx`);
    writeOnnx(file, exportOnnx(trained, { file, toolVersion, ...(name === 'baked' && task !== undefined ? { task } : {}) }));
    const bytes = [file, dataFile(file)].filter(existsSync).reduce((sum, f) => sum + statSync(f).size, 0);
    sides.push({ name, bytes, fn: await openOnnxFile(file, Number(values.threads)), steps: [] as number[], processor: [] as number[], logits: new Float32Array(0) });
  }
  const { image } = batchOf(program, Number(values.batch)), feeds = { [imageInput(program).name]: image, t: i64(Math.max(0, codes.indexOf(task ?? ''))) };
  for (let step = 0; step <= Number(values.steps); step++) for (const side of sides) {
    const own = Object.fromEntries(side.fn.inputs.map((name) => [name, feeds[name] ?? image])), { wall, processor, value: { logits } } = await taken(() => side.fn.run(own));
    if (step > 0) {
      side.steps.push(wall);
      side.processor.push(processor);
    }
    side.logits = logits?.data as Float32Array<ArrayBuffer>;
  }
  const read = new Set([...program.infer.nodes.values()].map((n) => n.attrs['path']));
  const others = program.tensors.filter((t) => t.perTask && read.has(t.path)).reduce((sum, t) => sum + elements(t, codes) / codes.length * (codes.length - 1), 0);
  const [open, baked] = sides.map(({ bytes, steps, processor }) => ({ bytes, steps, processor })), [mine, plain] = sides.map((s) => s.logits);
  if (open === undefined) throw new Error('nothing was exported');
  const said: Baked = { open, ...(baked === undefined ? {} : { baked }), othersBytes: 4 * others, apart: plain === undefined ? 0 : apart(Array.from(plain), Array.from(mine ?? [])) };
  console.log(JSON.stringify({ spec, task, batch: Number(values.batch), threads: Number(values.threads), ...said }));
} finally {
  if (values.out === undefined) rmSync(folder, { recursive: true, force: true });
}
