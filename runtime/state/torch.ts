// PyTorch's checkpoints: a zip of data.pkl (who is who) and data/N (the storages). Read by an allow-list: nothing in a file can run.
// Which tensor means what is not known here.
import { UserError } from '../errors.js';
import { BYTES, type FileDType } from './dtypes.js';
import { OPAQUE, PickleDict, PickleError, unpickle, type PickleName } from './pickle.js';
import { closingState, openingState, tensorState } from './pickle-write.js';
import { allocate, type RandomAccess } from './random-access.js';
import { sizeInBytes, type TensorToWrite } from './safetensors.js';
import { shownName, type Source, type StoredTensor, type TensorFile } from './stored.js';
import { writeZip, zipEntries, ZipError, type ZipEntry } from './zip.js';

/** A pickle of 586 tensors is 150 KB. */
const MAX_PICKLE = 8 * 2 ** 20;
/** Keys under which people put a state dict, tried in this order where several dicts of tensors stand side by side. */
const USUAL = ['model', 'state_dict', 'model_state_dict'];

class StorageClass { constructor(readonly dtype: FileDType) {} }
interface SizedSource extends Source { readonly size: number }
class Storage { constructor(readonly dtype: FileDType, readonly source: SizedSource, readonly count: number) {} }
class TorchTensor { constructor(readonly storage: Storage, readonly offset: number, readonly shape: readonly number[], readonly stride: readonly number[]) {} }

const STORAGES: Readonly<Record<string, FileDType>> = {
  FloatStorage: 'F32', DoubleStorage: 'F64', HalfStorage: 'F16', BFloat16Storage: 'BF16', LongStorage: 'I64', IntStorage: 'I32', ShortStorage: 'I16',
  CharStorage: 'I8', ByteStorage: 'U8', BoolStorage: 'BOOL',
};

const isSize = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0;
const sizes = (v: unknown): readonly number[] => {
  if (!Array.isArray(v) || v.length > 32 || !v.every(isSize)) throw new PickleError('a tensor has no shape of whole numbers');
  return v;
};

/** torch._utils._rebuild_tensor_v2(storage, offset, size, stride, …): a view of a storage, which must lie inside it. */
function rebuildTensor([storage, offset, size, strides]: readonly unknown[]): TorchTensor {
  if (!(storage instanceof Storage) || !isSize(offset)) throw new PickleError('a tensor has no storage');
  const shape = sizes(size), stride = sizes(strides);
  if (stride.length !== shape.length) throw new PickleError('a tensor has strides of another rank');
  const count = shape.reduce((a, b) => a * b, 1);
  const last = count === 0 ? -1 : offset + shape.reduce((a, n, i) => a + (n - 1) * (stride[i] ?? 0), 0);
  // A view may repeat its storage without end; weights do not.
  if (last >= storage.count || count > storage.count) throw new PickleError(`a tensor of shape [${shape.join(', ')}] does not fit its storage of ${storage.count} elements`);
  return new TorchTensor(storage, offset, shape, stride);
}

function orderedDict(args: readonly unknown[]): PickleDict {
  if (args.length > 0) throw new PickleError('an OrderedDict is given its items at once');
  return new PickleDict();
}
function parameter([data]: readonly unknown[]): TorchTensor {
  if (!(data instanceof TorchTensor)) throw new PickleError('a parameter holds no tensor');
  return data;
}

/** All that a pickle may name. */
const NAMES: ReadonlyMap<string, PickleName> = new Map<string, PickleName>([
  ['collections OrderedDict', { call: orderedDict }],
  ['torch._utils _rebuild_tensor_v2', { call: rebuildTensor }],
  ['torch._utils _rebuild_parameter', { call: parameter }],
  // a best score, as NumPy's numbers are pickled, often stands beside the weights
  ...['numpy.core.multiarray scalar', 'numpy._core.multiarray scalar', 'numpy dtype', '_codecs encode'].map((name): [string, PickleName] => [name, { call: () => OPAQUE }]),
  ...Object.entries(STORAGES).map(([name, dtype]): [string, PickleName] => [`torch ${name}`, new StorageClass(dtype) as PickleName]),
]);

/** ('storage', class, key, device, number of elements) */
function storageOf(id: unknown, root: string, sources: ReadonlyMap<string, SizedSource>): Storage {
  const [tag, kind, key, , count] = Array.isArray(id) ? id as readonly unknown[] : [];
  if (tag !== 'storage' || !(kind instanceof StorageClass) || typeof key !== 'string' || !isSize(count)) throw new PickleError('a storage is described in an unknown way');
  const source = sources.get(`${root}data/${key}`);
  if (source === undefined) throw new PickleError(`storage ${shownName(key)} is missing`);
  if (count * BYTES[kind.dtype] > source.size) throw new PickleError(`storage ${shownName(key)} has ${source.size} bytes, but ${count} elements of ${kind.dtype.toLowerCase()} need ${count * BYTES[kind.dtype]}`);
  return new Storage(kind.dtype, source, count);
}

const broken = (path: string, why: string, help = 'Only state dicts are read: in PyTorch, `torch.save(model.state_dict(), FILE)` makes one. If it should be one, copy or download the file again.'): UserError =>
  new UserError(`${path} is not a readable PyTorch checkpoint: ${why}`, help);

/** The tensors of an open file. `entry`: the key of the state dict, where the file holds several. Throws UserError. */
export function storedInTorch(file: RandomAccess, entry?: string): TensorFile {
  try {
    const entries = zipEntries(file);
    const pickles = [...entries.values()].filter((e) => /^(?:[^/]*\/)?data\.pkl$/.test(e.name));
    const [pickle] = pickles;
    if (pickle === undefined || pickles.length > 1) throw new ZipError(pickle === undefined ? 'it is a zip archive without data.pkl' : 'it holds data.pkl twice');
    if (pickle.size > MAX_PICKLE) throw new ZipError(`its data.pkl of ${pickle.size} bytes is larger than any state dict's`);
    const root = pickle.name.slice(0, -'data.pkl'.length);
    const order = entries.get(`${root}byteorder`);
    if (order !== undefined && new TextDecoder().decode(whole(order, 16)) !== 'little') throw new ZipError('its numbers are not little endian');
    const sources = new Map([...entries].map(([name, e]) => [name, told(file.path, e)]));
    const value = unpickle(whole(pickle, MAX_PICKLE), { names: NAMES, persistent: (id) => storageOf(id, root, sources) });
    return { path: file.path, format: 'torch', ...stateDict(file.path, value, entry) };
  } catch (error) {
    if (error instanceof ZipError || error instanceof PickleError) throw broken(file.path, error.message);
    throw error;
  }
}

function whole(entry: ZipEntry, most: number): Uint8Array {
  const bytes = new Uint8Array(Math.min(entry.size, most));
  entry.fill(bytes, 0);
  return bytes;
}

const holdsTensors = (v: unknown): v is PickleDict => v instanceof PickleDict && [...v.items].some(([k, t]) => typeof k === 'string' && t instanceof TorchTensor);

/** The dict of tensors: the whole, or the one that it holds. */
function stateDict(path: string, value: unknown, wanted: string | undefined): Pick<TensorFile, 'tensors' | 'entry' | 'aside'> {
  if (!(value instanceof PickleDict)) throw broken(path, 'it holds no dict');
  const names = [...value.items.keys()].filter((k): k is string => typeof k === 'string');
  const dicts = names.filter((k) => holdsTensors(value.items.get(k)));
  if (wanted !== undefined && !dicts.includes(wanted)) {
    throw new UserError(`${path} has no state dict \`${wanted}\``, dicts.length === 0 ? 'It holds its tensors at once: leave --entry away.' : `It has: ${dicts.map(shownName).join(', ')}.`);
  }
  const usual = USUAL.filter((k) => dicts.includes(k));
  const entry = wanted ?? (holdsTensors(value) ? undefined : dicts.length === 1 ? dicts[0] : usual.length === 1 ? usual[0] : undefined);
  if (entry === undefined && !holdsTensors(value)) {
    if (dicts.length === 0) throw broken(path, `it holds no tensors by name${names.length > 0 ? `, only ${names.slice(0, 8).map(shownName).join(', ')}` : ''}`);
    throw new UserError(`${path} holds several state dicts: ${dicts.map(shownName).join(', ')}`, 'Say which with --entry NAME.');
  }
  const dict = entry === undefined ? value : value.items.get(entry) as PickleDict;
  const tensors = new Map<string, StoredTensor>();
  const aside = entry === undefined ? [] : names.filter((k) => k !== entry);
  for (const [name, t] of dict.items) {
    if (typeof name !== 'string') continue;
    if (t instanceof TorchTensor) tensors.set(name, { dtype: t.storage.dtype, shape: t.shape, place: placeOf(t), read: () => elements(path, t) });
    else aside.push(entry === undefined ? name : `${entry}.${name}`);
  }
  return { tensors, aside, ...(entry === undefined ? {} : { entry }) };
}

/** From the first element of a view to behind its last, in elements of the storage. */
const spanOf = ({ shape, stride }: TorchTensor): number => (shape.includes(0) ? 0 : 1 + shape.reduce((a, n, i) => a + (n - 1) * (stride[i] ?? 0), 0));

function placeOf(tensor: TorchTensor): StoredTensor['place'] {
  const { source, dtype } = tensor.storage, begin = tensor.offset * BYTES[dtype];
  return { source, begin, end: begin + spanOf(tensor) * BYTES[dtype] };
}

/** An entry that tells what is wrong with it as of the whole file. */
const told = (path: string, { size, fill }: ZipEntry): SizedSource => ({ size, fill: (buffer, position) => {
  try { fill(buffer, position); } catch (error) {
    if (error instanceof ZipError) throw broken(path, error.message);
    throw error;
  }
} });

/** The elements of a view in row-major order. */
function elements(path: string, tensor: TorchTensor): Uint8Array<ArrayBuffer> {
  const { storage, shape, stride } = tensor;
  const { source, begin } = placeOf(tensor);
  const width = BYTES[storage.dtype], count = shape.reduce((a, b) => a * b, 1), span = spanOf(tensor);
  const out = allocate(path, count * width);
  if (count === 0) return out;
  if (isRowMajor(shape, stride)) {
    source.fill(out, begin);
    return out;
  }
  if (span > 16 * count + 4096) throw broken(path, `a view of ${count} elements is spread over ${span}`);
  const spread = allocate(path, span * width);
  source.fill(spread, begin);
  const index = shape.map(() => 0);
  for (let i = 0, from = 0; i < count; i++) {
    for (let k = 0; k < width; k++) out[i * width + k] = spread[from * width + k] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      from += stride[axis] ?? 0;
      if (next < (shape[axis] ?? 1)) { index[axis] = next; break; }
      from -= next * (stride[axis] ?? 0);
      index[axis] = 0;
    }
  }
  return out;
}

function isRowMajor(shape: readonly number[], stride: readonly number[]): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    const n = shape[i] ?? 1;
    if (n !== 1 && stride[i] !== step) return false;
    step *= n;
  }
  return true;
}

/** Whether a file begins as what torch.save wrote before version 1.6. */
export const beginsAsPickle = (head: Uint8Array): boolean => head[0] === 0x80 && (head[1] ?? 0) >= 2 && (head[1] ?? 0) <= 5;

/** Writes what `torch.load(path, weights_only=True)` gives back as a dict of tensors (under `entry`, where given). One tensor is held at a time. */
export function writeTorch(path: string, tensors: readonly TensorToWrite[], entry?: string): void {
  const pickle = Buffer.concat([openingState(entry), ...tensors.map((t, i) => tensorState(t.name, STORAGE_OF[t.dtype], String(i), t.shape)), closingState(entry)]);
  writeZip(path, [
    { name: 'archive/data.pkl', size: pickle.length, bytes: () => pickle },
    { name: 'archive/byteorder', size: 6, bytes: () => Buffer.from('little') },
    ...tensors.map((t, i) => ({ name: `archive/data/${i}`, size: sizeInBytes(t), bytes: t.bytes })),
    { name: 'archive/version', size: 2, bytes: () => Buffer.from('3\n') },
  ]);
}

const STORAGE_OF = { f32: 'FloatStorage', i64: 'LongStorage', bool: 'BoolStorage' } as const;
