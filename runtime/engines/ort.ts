// ONNX Runtime as an engine: a graph becomes an ONNX model in memory, its tensors stay inputs, so one session serves every state of the parameters.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { leafName, type DType } from '../../compiler/ir/graph.js';
import { onnxBytes, toOnnx } from '../../compiler/targets/onnx/index.js';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { UserError } from '../errors.js';
import type { CompiledFunction, Engine, Tensor, TensorData } from './engine.js';
import { checkFeeds, fedLeaves } from './feeds.js';

export interface OrtOptions {
  /** Default: all processors. Results are the same for the same number. */
  readonly threads?: number;
  readonly device: 'cpu' | 'cuda';
}

const ORT_TYPE = { f32: 'float32', i64: 'int64', bool: 'bool' } as const satisfies Record<DType, ort.Tensor.Type>;
const DTYPE: Readonly<Record<string, DType>> = { float32: 'f32', int64: 'i64', bool: 'bool' };

/** Throws UserError where device `cuda` is asked for and cannot be had. */
export async function createOrtEngine(options: OrtOptions): Promise<Engine> {
  const threads = options.threads ?? availableParallelism();
  const settings = sessionOptions(options.device, threads);
  if (options.device === 'cuda') await expectCuda(settings);
  return {
    name: 'ort',
    version: ort.env.versions.node ?? ort.env.versions.common,
    device: options.device,
    threads,
    compile: (graph) => compile(graph, settings),
  };
}

/** Optimisers that look for quantised graphs, which ours are not, and one that our own passes have left nothing to do: each costs a walk over the graph. */
const IDLE_OPTIMIZERS = [
  'CommonSubexpressionElimination', 'EnsureUniqueDQForNodeUnit', 'WhereDummyDq', 'WeightBiasQuantization', 'QDQPropagationTransformer', 'DoubleQDQPairsRemover',
];

/** Measured on training steps: `all` fuses transposes into products; denormals cost 10 %; spinning costs processor time and wins no wall time; parallel execution is twice slower. */
function sessionOptions(device: OrtOptions['device'], threads: number): ort.InferenceSession.SessionOptions {
  return {
    executionProviders: [device],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    extra: {
      session: { set_denormal_as_zero: '1', intra_op: { allow_spinning: '0' } },
      optimization: { disable_specified_optimizers: IDLE_OPTIMIZERS.join(';') },
    },
  };
}

async function compile(graph: Parameters<Engine['compile']>[0], settings: ort.InferenceSession.SessionOptions): Promise<CompiledFunction> {
  const leaves = fedLeaves(graph);
  const names = leaves.map(leafName);
  // Where ONNX Runtime knows shapes it plans which value takes whose memory, in time quadratic in the nodes: 5 s of 7 for 7,000 nodes,
  // and the steps are no faster for it.
  const model = toOnnx(graph, { producerVersion: '', hideShapes: true });
  const session = await ort.InferenceSession.create(model.bytes, settings);
  return {
    inputs: names,
    outputs: graph.outputs.map((o) => o.name),
    run: async (feeds) => {
      checkFeeds(graph, leaves, feeds);
      const given = Object.fromEntries(names.flatMap((name) => {
        const tensor = feeds[name];
        return tensor === undefined ? [] : [[name, toOrt(tensor)]];
      }));
      const results = await session.run(given);
      return Object.fromEntries(model.outputs.flatMap(({ name, value }) => {
        const result = results[value];
        return result === undefined ? [] : [[name, fromOrt(result)]];
      }));
    },
    dispose: () => session.release(),
  };
}

/** No copy: ONNX Runtime reads the array in place. */
const toOrt = (tensor: Tensor): ort.Tensor => new ort.Tensor(ORT_TYPE[tensor.dtype], tensor.data, tensor.shape);

function fromOrt(tensor: ort.OnnxValue): Tensor {
  const dtype = DTYPE[tensor.type];
  if (dtype === undefined) throw new Error(`ONNX Runtime gave ${tensor.type}`);
  return { dtype, shape: tensor.dims, data: tensor.data as TensorData };
}

const CUDA_FILE: Readonly<Record<string, string>> = { linux: 'libonnxruntime_providers_cuda.so', win32: 'onnxruntime_providers_cuda.dll' };

/** Its files first, then a session: both can be missing, and ONNX Runtime does not fall back. */
async function expectCuda(settings: ort.InferenceSession.SessionOptions): Promise<void> {
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
