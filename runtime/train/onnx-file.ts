// An ONNX file on disk as a function, run by ONNX Runtime: for files that are used without their spec, and to verify what was written.
import * as ort from 'onnxruntime-node';
import type { Tensor, TensorData } from '../engines/engine.js';
import { UserError } from '../errors.js';

/** What a file takes and gives: our tensors, and bytes of pictures and masks. */
export type FileTensor = Tensor | { readonly dtype: 'u8'; readonly shape: readonly number[]; readonly data: Uint8Array };
export interface OnnxFile {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Throws Error where an input is not fed. */
  run(feeds: Readonly<Record<string, FileTensor>>): Promise<Readonly<Record<string, FileTensor>>>;
  dispose(): Promise<void>;
}

const ORT_TYPE = { f32: 'float32', i64: 'int64', bool: 'bool', u8: 'uint8' } as const;
const DTYPE: Readonly<Record<string, FileTensor['dtype']>> = { float32: 'f32', int64: 'i64', bool: 'bool', uint8: 'u8' };

/** Opens a file (and the external data beside it). Throws UserError where ONNX Runtime does not take it. `threads` absent: all processors. */
export async function openOnnxFile(path: string, threads?: number): Promise<OnnxFile> {
  const session = await ort.InferenceSession.create(path, { logSeverityLevel: 3, ...(threads === undefined ? {} : { intraOpNumThreads: threads }) })
    .catch((error: unknown) => { throw new UserError(`ONNX Runtime cannot open ${path}: ${error instanceof Error ? error.message : String(error)}`, 'Write it again with `tpsc compile --target onnx`; external data must lie beside the file.'); });
  return {
    inputs: session.inputNames,
    outputs: session.outputNames,
    run: async (feeds) => {
      const missing = session.inputNames.find((name) => feeds[name] === undefined);
      if (missing !== undefined) throw new Error(`${path}: the input ${missing} is not fed`);
      const results = await session.run(Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, new ort.Tensor(ORT_TYPE[t.dtype], t.data, t.shape)])));
      return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, { dtype: dtypeOf(value.type), shape: value.dims, data: value.data as TensorData } as FileTensor]));
    },
    dispose: () => session.release(),
  };
}

function dtypeOf(type: string): FileTensor['dtype'] {
  const dtype = DTYPE[type];
  if (dtype === undefined) throw new Error(`ONNX Runtime gave ${type}`);
  return dtype;
}
