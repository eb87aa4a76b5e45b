// The ONNX messages we write, from plain values: tensors, attributes, value types, the model. Nothing here knows our graph's ops.
import onnxProto, { type onnx as Onnx } from 'onnx-proto';
import type { Dim } from '../../ir/dim.js';
import { formatDim, isStatic } from '../../ir/dim.js';
import type { DType } from '../../ir/graph.js';
import { sizeOf } from '../../ir/ndarray.js';
import type { OnnxAttribute } from '../../ops/op.js';
import { halves } from './half.js';
import { irVersionOf } from './opset.js';

const { onnx } = onnxProto;
export type { Onnx };

/** What the elements of a file's tensors may be: those of the graph, and what weights and pictures are kept in. */
export type ElementType = DType | 'f16' | 'i8' | 'u8';
/** The type of a value of the file. */
export interface FileType { readonly dtype: ElementType; readonly shape: readonly Dim[] }

const ELEMENT_TYPE = {
  f32: onnx.TensorProto.DataType.FLOAT,
  f16: onnx.TensorProto.DataType.FLOAT16,
  i8: onnx.TensorProto.DataType.INT8,
  u8: onnx.TensorProto.DataType.UINT8,
  i64: onnx.TensorProto.DataType.INT64,
  bool: onnx.TensorProto.DataType.BOOL,
} as const satisfies Record<ElementType, number>;
/** The number that ONNX has for an element type. */
export const elementType = (dtype: ElementType): number => ELEMENT_TYPE[dtype];

/** Little-endian bytes of numbers as an element type. Float32Array is viewed, not copied. */
function rawData(data: Float64Array | Float32Array, dtype: ElementType): Uint8Array {
  switch (dtype) {
    case 'f32': {
      const f = data instanceof Float32Array ? data : Float32Array.from(data);
      return new Uint8Array(f.buffer, f.byteOffset, f.byteLength);
    }
    case 'f16': return new Uint8Array(halves(data).buffer);
    case 'i8': return new Uint8Array(Int8Array.from(data).buffer);
    case 'u8': return Uint8Array.from(data);
    case 'i64': return new Uint8Array(BigInt64Array.from([...data], BigInt).buffer);
    case 'bool': return Uint8Array.from(data, (v) => (v === 0 ? 0 : 1));
    default: return dtype satisfies never;
  }
}

const ELEMENT_BYTES = { f32: 4, f16: 2, i64: 8, i8: 1, u8: 1, bool: 1 } as const satisfies Record<ElementType, number>;

/** A tensor of the file whose elements are read when they are written, part by part. */
export interface Initializer {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: ElementType;
  readonly byteLength: number;
  readonly parts: readonly (() => Float64Array | Float32Array)[];
}

export const initializer = (name: string, shape: readonly number[], dtype: ElementType, parts: Initializer['parts']): Initializer =>
  ({ name, shape, dtype, parts, byteLength: sizeOf(shape) * ELEMENT_BYTES[dtype] });

/** The bytes of a tensor in pieces, each read in its turn. Throws where they are not as many as the shape says. */
export function* piecesOf({ name, shape, dtype, byteLength, parts }: Initializer): Generator<Uint8Array> {
  let written = 0;
  for (const part of parts) {
    const piece = rawData(part(), dtype);
    written += piece.byteLength;
    yield piece;
  }
  if (written !== byteLength) throw new Error(`tensor ${name}: ${written} bytes for shape [${shape.join(', ')}]`);
}

/** A tensor with its bytes. */
export function tensorProto(tensor: Initializer): Onnx.ITensorProto {
  const rawData = new Uint8Array(tensor.byteLength);
  let at = 0;
  for (const piece of piecesOf(tensor)) {
    rawData.set(piece, at);
    at += piece.byteLength;
  }
  return { name: tensor.name, dataType: ELEMENT_TYPE[tensor.dtype], dims: [...tensor.shape], rawData };
}

/** A tensor whose bytes lie in another file. */
export function externalProto({ name, shape, dtype, byteLength }: Initializer, location: string, offset: number): Onnx.ITensorProto {
  const where = { location, offset: String(offset), length: String(byteLength) };
  return {
    name, dataType: ELEMENT_TYPE[dtype], dims: [...shape], dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
    externalData: Object.entries(where).map(([key, value]) => ({ key, value })),
  };
}

const dimProto = (d: Dim): Onnx.TensorShapeProto.IDimension => (isStatic(d) ? { dimValue: d } : { dimParam: formatDim(d) });

export const valueInfo = (name: string, type: FileType, hideShape: boolean): Onnx.IValueInfoProto =>
  ({ name, type: { tensorType: { elemType: ELEMENT_TYPE[type.dtype], ...(hideShape ? {} : { shape: { dim: type.shape.map(dimProto) } }) } } });

/** A bare number is an integer where it has no fraction: a float attribute must say `{ float }`. */
export function attributeProto(name: string, value: OnnxAttribute): Onnx.IAttributeProto {
  const { AttributeType } = onnx.AttributeProto;
  if (typeof value === 'string') return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if (typeof value === 'number') return Number.isInteger(value) ? { name, type: AttributeType.INT, i: value } : { name, type: AttributeType.FLOAT, f: value };
  if ('int' in value) return { name, type: AttributeType.INT, i: value.int };
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float };
  if ('ints' in value) return { name, type: AttributeType.INTS, ints: [...value.ints] };
  return { name, type: AttributeType.FLOATS, floats: [...value.floats] };
}

export interface ModelText {
  readonly opset: number;
  readonly producerVersion: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly graph: Onnx.IGraphProto;
}

export function encodeModel(model: ModelText): Uint8Array {
  return onnx.ModelProto.encode({
    irVersion: irVersionOf(model.opset),
    opsetImport: [{ domain: '', version: model.opset }],
    producerName: 'tpsc',
    producerVersion: model.producerVersion,
    graph: model.graph,
    metadataProps: Object.entries(model.metadata).map(([key, value]) => ({ key, value })),
  }).finish();
}
