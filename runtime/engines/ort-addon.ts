// Graphs on onnxruntime-node: everywhere that it runs, but results are copied and a run keeps the JavaScript thread.
import type * as Ort from 'onnxruntime-node';
import { leafName, type DType, type Graph } from '../../compiler/ir/graph.js';
import { toOnnx } from '../../compiler/targets/onnx/index.js';
import type { CompiledFunction, CompileOptions, Tensor, TensorData } from './engine.js';
import { checkFeeds, deliver, fedLeaves } from './feeds.js';
import { CONFIG, ONNX_OPTIONS } from './ort-settings.js';

const ORT_TYPE = { f32: 'float32', i64: 'int64', bool: 'bool' } as const satisfies Record<DType, Ort.Tensor.Type>;
const DTYPE: Readonly<Record<string, DType>> = { float32: 'f32', int64: 'i64', bool: 'bool' };

export const addonSettings = (device: 'cpu' | 'cuda', threads: number): Ort.InferenceSession.SessionOptions => ({
  executionProviders: [device],
  graphOptimizationLevel: 'all',
  executionMode: 'sequential',
  enableMemPattern: false,
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  logSeverityLevel: 3,
  extra: CONFIG,
});

export async function compileWithAddon(ort: typeof Ort, graph: Graph, settings: Ort.InferenceSession.SessionOptions, how: CompileOptions = {}): Promise<CompiledFunction> {
  const leaves = fedLeaves(graph, how), names = leaves.map(leafName);
  const model = toOnnx(graph, { ...ONNX_OPTIONS, ...how });
  const session = await ort.InferenceSession.create(model.bytes, settings);
  return {
    inputs: names,
    outputs: graph.outputs.map((o) => o.name),
    run: async (feeds, { into } = {}) => {
      const sizes = checkFeeds(graph, leaves, feeds);
      const results = await session.run(Object.fromEntries(names.flatMap((name) => {
        const tensor = feeds[name];
        return tensor === undefined ? [] : [[name, new ort.Tensor(ORT_TYPE[tensor.dtype], tensor.data, tensor.shape)]];
      })));
      return deliver(graph, sizes, Object.fromEntries(model.outputs.flatMap(({ name, value }) => {
        const result = results[value];
        return result === undefined ? [] : [[name, fromOrt(result)]];
      })), into);
    },
    dispose: () => session.release(),
  };
}

function fromOrt(tensor: Ort.OnnxValue): Tensor {
  const dtype = DTYPE[tensor.type];
  if (dtype === undefined) throw new Error(`ONNX Runtime gave ${tensor.type}`);
  return { dtype, shape: tensor.dims, data: tensor.data as TensorData };
}
