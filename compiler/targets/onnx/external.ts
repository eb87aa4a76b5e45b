// Which tensors of an ONNX file lie in a second file, and where in it. A plan: the bytes are asked for when they are written, by whoever writes.
import { piecesOf, type Initializer } from './proto.js';

export interface ExternalOptions {
  /** Name of the second file, beside the first. */
  readonly location: string;
  /** Bytes of tensors from which on there is a second file. */
  readonly from: number;
}

export interface ExternalTensor {
  readonly name: string;
  /** From the beginning of the second file; what lies between two tensors is nothing. */
  readonly offset: number;
  readonly byteLength: number;
  /** The bytes in order, each piece read in its turn. */
  readonly pieces: () => Iterable<Uint8Array>;
}

export interface ExternalData {
  readonly location: string;
  readonly byteLength: number;
  /** In the order of the file. */
  readonly tensors: readonly ExternalTensor[];
}

/** Smaller tensors stay in the file: shapes and axes among them are read before any data are. */
const LEAST = 1024;
/** Readers map the file into memory by pages of 4 KiB, on Windows by 64 KiB; a large tensor hardly notices the gap. */
const PAGE = 4096, GRANULARITY = 65536, LARGE = 1 << 20;

/** The tensors that move out, or undefined where all stay. */
export function placeExternally(tensors: readonly Initializer[], { location, from }: ExternalOptions): ExternalData | undefined {
  if (tensors.reduce((sum, t) => sum + t.byteLength, 0) < from) return undefined;
  const placed: ExternalTensor[] = [];
  let end = 0;
  for (const tensor of tensors) {
    if (tensor.byteLength < LEAST) continue;
    const step = tensor.byteLength >= LARGE ? GRANULARITY : PAGE;
    const offset = Math.ceil(end / step) * step;
    placed.push({ name: tensor.name, offset, byteLength: tensor.byteLength, pieces: () => piecesOf(tensor) });
    end = offset + tensor.byteLength;
  }
  return placed.length === 0 ? undefined : { location, byteLength: end, tensors: placed };
}
