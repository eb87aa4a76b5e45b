// ONNX Runtime as an engine: a graph becomes an ONNX model in memory, its tensors stay inputs, so one session serves every state of the parameters.
// Two routes to the same library: its C API where that can be had, the package onnxruntime-node elsewhere and for CUDA. Here is only the choice.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import type * as Ort from 'onnxruntime-node';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { onnxBytes } from '../../compiler/targets/onnx/index.js';
import { UserError } from '../errors.js';
import type { Engine } from './engine.js';
import { addonSettings, compileWithAddon } from './ort-addon.js';
import { compileDirect, directContext } from './ort-direct.js';
import { ortLibrary, type OrtLibrary } from './ort-library.js';

export interface OrtOptions {
  /** Default: all processors. Results are the same for the same number. */
  readonly threads?: number;
  readonly device: 'cpu' | 'cuda';
  /** Default: `direct` where it can be had. Results are the same by either. */
  readonly route?: 'direct' | 'addon';
}

/** Throws UserError where device `cuda` is asked for and cannot be had. */
export async function createOrtEngine({ threads = availableParallelism(), device, route = device === 'cpu' ? 'direct' : 'addon' }: OrtOptions): Promise<Engine> {
  const library = route === 'addon' ? undefined : await ortLibrary().catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
  if (library !== undefined && !(library instanceof Error)) return directEngine(library, threads);
  const ort = await import('onnxruntime-node'), settings = addonSettings(device, threads);
  if (device === 'cuda') await expectCuda(ort, settings);
  return {
    name: 'ort', version: ort.env.versions.node ?? ort.env.versions.common, device, threads, int8: device === 'cpu',
    ...(library === undefined ? {} : { note: `ONNX Runtime's C API cannot be had here (${library.message}): results are copied, and progress stands still during a step` }),
    compile: (graph, how) => compileWithAddon(ort, graph, settings, how),
  };
}

function directEngine(library: OrtLibrary, threads: number): Engine {
  const context = directContext(library);
  return { name: 'ort', version: library.version, device: 'cpu', threads, int8: true, compile: (graph, how) => compileDirect(graph, context, threads, how) };
}

const CUDA_FILE: Readonly<Record<string, string>> = { linux: 'libonnxruntime_providers_cuda.so', win32: 'onnxruntime_providers_cuda.dll' };

/** Its files first, then a session: both can be missing, and ONNX Runtime does not fall back. */
async function expectCuda(ort: typeof Ort, settings: Ort.InferenceSession.SessionOptions): Promise<void> {
  const file = CUDA_FILE[process.platform];
  if (file === undefined || process.arch !== 'x64') throw new UserError(`device cuda: ONNX Runtime has no CUDA provider for ${process.platform} ${process.arch}`, 'use --device cpu');
  const root = dirname(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')));
  if (!existsSync(join(root, 'bin', 'napi-v6', process.platform, process.arch, file))) {
    throw new UserError(`device cuda: ONNX Runtime's CUDA provider is not installed (no ${file} in ${root})`,
      'the npm package comes without it; download it with `npm run install:cuda` (needs CUDA 12 and cuDNN 9 on this machine), or use --device cpu');
  }
  const b = new GraphBuilder();
  const probe = b.finish([{ name: 'y', id: b.neg(b.leaf('input', { name: 'x' }, { dtype: 'f32', shape: [1] })) }]);
  try {
    await (await ort.InferenceSession.create(onnxBytes(probe), settings)).release();
  } catch (error) {
    throw new UserError(`device cuda: ONNX Runtime's CUDA provider does not start: ${error instanceof Error ? error.message : String(error)}`,
      'see that the NVIDIA driver, CUDA 12 and cuDNN 9 are there and on the library path, or use --device cpu');
  }
}
