// Parameters counted four ways: by inspect, by its modules, in a checkpoint, in the initialisers of the exported file.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../../compiler/ir/ndarray.js';
import { f32 } from '../../runtime/engines/engine.js';
import { inspectProgram } from '../../runtime/report/counts.js';
import { exportOnnx, trainedFrom } from '../../runtime/export/model-file.js';
import { readSafetensorsHeader, writeSafetensors } from '../../runtime/state/safetensors.js';
import { compileFile, programOf } from '../check/support.js';

const CASES = [
  ['models/unet.tps', { set: { width: '8' } }], ['models/tpseg-nano.tps', { block: 'main' }], ['models/tpseg-nano.tps', { variant: 'no_gate' }],
] as const;

describe.each(CASES)('%s %o', (file, request) => {
  it('has one count of parameters', () => {
    const program = programOf(compileFile(file, request));
    const inspection = inspectProgram(program);
    const { total } = inspection.parameters;
    expect(inspection.modules.reduce((sum, m) => sum + m.parameters, 0)).toBe(total);

    const trained = trainedFrom(program, 'random');
    const state = new Set(program.tensors.filter((t) => t.kind === 'state').map((t) => t.path.replace('.{task}', '')));
    const isParameter = (path: string): boolean => ![...state].some((s) => path.startsWith(s));
    const folder = mkdtempSync(join(tmpdir(), 'tpsc-counts-'));
    try {
      const path = join(folder, 'weights.safetensors');
      writeSafetensors(path, new Map([...trained.values].map(([name, { shape, read }]) => [name, f32(shape, read())])));
      const stored = [...readSafetensorsHeader(path).entries].filter(([name]) => isParameter(name));
      expect(stored.reduce((sum, [, t]) => sum + sizeOf(t.shape), 0)).toBe(total);
    } finally {
      rmSync(folder, { recursive: true });
    }

    const model = exportOnnx(trained, { file: 'net.onnx', toolVersion: '0' });
    const { graph } = onnxProto.onnx.ModelProto.decode(model.bytes);
    const paths = new Set(program.tensors.filter((t) => t.kind === 'param').map((t) => t.path.replace('{task}', '*')));
    const initialisers = (graph?.initializer ?? []).filter((t) => paths.has(t.name ?? ''));
    const inFile = initialisers.reduce((sum, t) => sum + sizeOf((t.dims ?? []).map(Number)), 0);
    expect(inFile).toBe(model.parameters);
    // heads of deep supervision are read by the loss alone
    expect(inFile + model.trainingOnly).toBe(total);
    if (file === 'models/unet.tps') expect(model.trainingOnly).toBe(0);
  });
});
