// The pickle of a state dict, protocol 2: an OrderedDict of names to torch tensors, each a whole storage. Only bytes; no file.
const bytes = (...values: readonly number[]): Buffer => Buffer.from(values);
const text = (value: string): Buffer => {
  const utf8 = Buffer.from(value), length = Buffer.alloc(5);
  length.writeUInt8(0x58, 0); // BINUNICODE
  length.writeUInt32LE(utf8.length, 1);
  return Buffer.concat([length, utf8]);
};
const global = (module: string, name: string): Buffer => Buffer.from(`c${module}\n${name}\n`, 'latin1');

function int(value: number): Buffer {
  if (value < 2 ** 31) {
    const out = Buffer.alloc(5);
    out.writeUInt8(0x4a, 0); // BININT
    out.writeInt32LE(value, 1);
    return out;
  }
  const out = Buffer.alloc(10);
  out.writeUInt8(0x8a, 0); // LONG1
  out.writeUInt8(8, 1);
  out.writeBigInt64LE(BigInt(value), 2);
  return out;
}
const tuple = (items: readonly Buffer[]): Buffer => Buffer.concat([bytes(0x28), ...items, bytes(0x74)]);
const orderedDict = Buffer.concat([global('collections', 'OrderedDict'), bytes(0x29, 0x52)]);

/** Everything before the first tensor; `entry` puts the dict of tensors into a dict under this key. */
export const openingState = (entry?: string): Buffer => Buffer.concat([bytes(0x80, 2), ...(entry === undefined ? [] : [bytes(0x7d), text(entry)]), orderedDict, bytes(0x28)]);
export const closingState = (entry?: string): Buffer => bytes(0x75, ...(entry === undefined ? [] : [0x73]), 0x2e);

/** `name: _rebuild_tensor_v2(storage `key` of this class, 0, shape, row-major strides, False, OrderedDict())` */
export function tensorState(name: string, storage: string, key: string, shape: readonly number[]): Buffer {
  const count = shape.reduce((a, b) => a * b, 1);
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const persistent = Buffer.concat([tuple([text('storage'), global('torch', storage), text(key), text('cpu'), int(count)]), bytes(0x51)]);
  const args = tuple([persistent, int(0), tuple(shape.map(int)), tuple(strides.map(int)), bytes(0x89), orderedDict]);
  return Buffer.concat([text(name), global('torch._utils', '_rebuild_tensor_v2'), args, bytes(0x52)]);
}
