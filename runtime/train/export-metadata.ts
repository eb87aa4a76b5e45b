// What an exported ONNX file says of itself, and how it is read back: without this a file of weights cannot be used rightly.
// Only the metadata are read, not the graph, so a file of any size is looked at in no time.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { taskCodes, type AugmentStep, type Program } from '../../compiler/program.js';
import { UserError } from '../errors.js';
import { imageInput } from './image-input.js';

export interface ExportMetadata {
  /** Name of the model, and identity of its spec. */
  readonly model: string;
  readonly specHash: string;
  readonly toolVersion: string;
  /** Codes in the order that the input `t` indexes; empty where the model reads no task. */
  readonly tasks: readonly string[];
  /** The one task that is baked in, if any. */
  readonly task?: string;
  /** With `task`: routes that weighed less than this beside what they are added to are not in the file. */
  readonly dropBelow?: number;
  /** Height and width of the image input. */
  readonly size: readonly [number, number];
  /** Image to input: resize and normalize, as in the spec. */
  readonly preprocessing: readonly AugmentStep[];
  /** Lesion where sigmoid(logit) >= threshold. */
  readonly threshold: number;
  /** Values of the schedules that are baked in. */
  readonly schedules: Readonly<Record<string, number>>;
  /** What the weights are kept in, and what the products of frozen linear layers are computed in. */
  readonly precision: Precision;
  readonly frozen: Frozen;
  /** Whether the file takes RGB pictures uint8[B, height, width, 3] of any size and does the preprocessing itself. */
  readonly withPreprocessing: boolean;
  /** Whether the file gives `probability` and `mask` besides the logits. */
  readonly withPostprocessing: boolean;
}
export type Precision = 'fp32' | 'fp16';
export type Frozen = 'fp32' | 'int8';

const PREFIX = 'tpsc.';
const KEYS: readonly (keyof ExportMetadata)[] = ['model', 'specHash', 'toolVersion', 'tasks', 'task', 'dropBelow', 'size', 'preprocessing', 'threshold', 'schedules', 'precision', 'frozen', 'withPreprocessing', 'withPostprocessing'];

export interface ExportValues {
  readonly toolVersion: string;
  readonly schedules: Readonly<Record<string, number>>;
  readonly task?: string;
  readonly dropBelow?: number;
  readonly precision?: Precision;
  readonly frozen?: Frozen;
  readonly withPreprocessing?: boolean;
  readonly withPostprocessing?: boolean;
}

/** The metadata_props of a file made from `program`: one a field, `tpsc.` before its name, text as it is and the rest as JSON. Throws UserError where it takes no image. */
export function exportMetadata(program: Program, { toolVersion, schedules, task, dropBelow, precision = 'fp32', frozen = 'fp32', withPreprocessing = false, withPostprocessing = false }: ExportValues): Readonly<Record<string, string>> {
  const { height, width } = imageInput(program);
  const metadata: ExportMetadata = {
    model: program.name, specHash: program.hash, toolVersion, tasks: program.readsTask ? taskCodes(program) : [], ...(task === undefined ? {} : { task }), ...(dropBelow === undefined ? {} : { dropBelow }),
    size: [height, width], preprocessing: preprocessingOf(program, height, width), threshold: program.training?.threshold ?? 0.5, schedules, precision, frozen, withPreprocessing, withPostprocessing,
  };
  return Object.fromEntries(KEYS.flatMap((key) => {
    const value = metadata[key];
    return value === undefined ? [] : [[PREFIX + key, typeof value === 'string' ? value : JSON.stringify(value)]];
  }));
}

/** What of a spec's augmentation applies to an image that is only looked at: all but the flips, and what masks need. A model without a train block takes RGB / 255 at its size. */
export function preprocessingOf(program: Program, height: number, width: number): readonly AugmentStep[] {
  const steps = (program.training?.augment ?? []).flatMap((step): AugmentStep[] =>
    (step.kind === 'flip' ? [] : step.kind === 'resize' ? [{ kind: 'resize', height: step.height, width: step.width }] : [step]));
  return steps.some((step) => step.kind === 'resize') ? steps : [{ kind: 'resize', height, width }, ...steps];
}

/** The metadata of an ONNX file that `tpsc compile` wrote. Throws UserError where it is no ONNX file or not one of ours. */
export function readExportMetadata(path: string): ExportMetadata {
  const properties = new Map(readProperties(path).filter(([key]) => key.startsWith(PREFIX)).map(([key, value]) => [key.slice(PREFIX.length), value]));
  if (properties.size === 0) throw new UserError(`${path} does not say how images are to be given to it`, 'Use a file that `tpsc compile --target onnx` wrote.');
  const text = new Set(['model', 'specHash', 'toolVersion', 'task', 'precision', 'frozen']);
  // Files of earlier versions do not say these.
  const usual = { precision: 'fp32', frozen: 'fp32', withPreprocessing: false, withPostprocessing: false };
  let metadata: Record<string, unknown>;
  try { metadata = { ...usual, ...Object.fromEntries([...properties].map(([key, value]) => [key, text.has(key) ? value : JSON.parse(value) as unknown])) }; } catch { throw damaged(path); }
  if (!isMetadata(metadata)) throw damaged(path);
  return metadata;
}

const damaged = (path: string): UserError => new UserError(`the metadata of ${path} are damaged`, 'Write the file again with `tpsc compile --target onnx`.');

function isMetadata(m: Record<string, unknown>): m is Record<string, unknown> & ExportMetadata {
  const { size, tasks, preprocessing, threshold, schedules } = m;
  return Array.isArray(size) && size.length === 2 && size.every((n) => Number.isSafeInteger(n) && n > 0) && Array.isArray(tasks) && tasks.every((t) => typeof t === 'string')
    && Array.isArray(preprocessing) && preprocessing.every((s: unknown) => typeof s === 'object' && s !== null && 'kind' in s) && typeof threshold === 'number' && typeof schedules === 'object';
}

/** Field of `ModelProto` that holds `StringStringEntryProto` entries (onnx.proto3). */
const METADATA_PROPS = 14;
/** No property of ours is near this. */
const MAX_PROPERTY = 1 << 20;

function readProperties(path: string): [string, string][] {
  let fd: number;
  try { fd = openSync(path, 'r'); } catch { throw new UserError(`${path} cannot be opened`); }
  try {
    const size = fstatSync(fd).size, properties: [string, string][] = [];
    const bytesAt = (at: number, length: number): Buffer => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(fd, bytes, 0, length, at));
    };
    for (let at = 0; at < size;) {
      const field = fieldOf(bytesAt(at, 20), 0);
      if (field === undefined || at + field.end > size) throw new UserError(`${path} is no ONNX file`);
      if (field.number === METADATA_PROPS && field.end - field.begin <= MAX_PROPERTY) properties.push(entryOf(bytesAt(at + field.begin, field.end - field.begin)));
      at += field.end;
    }
    return properties;
  } finally {
    closeSync(fd);
  }
}

interface Field { readonly number: number; readonly begin: number; readonly end: number }

/** A protobuf field at `at`: its number, and where its payload begins and ends (which may be behind the buffer). */
function fieldOf(bytes: Uint8Array, at: number): Field | undefined {
  const tag = varint(bytes, at);
  if (tag === undefined || tag.value < 8) return undefined;
  const number = Math.floor(tag.value / 8);
  switch (tag.value % 8) {
    case 0: { const value = varint(bytes, tag.end); return value && { number, begin: tag.end, end: value.end }; }
    case 1: return { number, begin: tag.end, end: tag.end + 8 };
    case 2: { const length = varint(bytes, tag.end); return length && { number, begin: length.end, end: length.end + length.value }; }
    case 5: return { number, begin: tag.end, end: tag.end + 4 };
    default: return undefined;
  }
}

function varint(bytes: Uint8Array, at: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let k = 0; k < 10; k++) {
    const byte = bytes[at + k];
    if (byte === undefined) return undefined;
    value += (byte & 127) * 2 ** (7 * k);
    if (byte < 128) return { value, end: at + k + 1 };
  }
  return undefined;
}

function entryOf(bytes: Buffer): [string, string] {
  let [key, value] = ['', ''];
  for (let at = 0; at < bytes.length;) {
    const field = fieldOf(bytes, at);
    if (field === undefined) break;
    const text = bytes.toString('utf8', field.begin, field.end);
    if (field.number === 1) key = text;
    if (field.number === 2) value = text;
    at = field.end;
  }
  return [key, value];
}
