// A tfjs program as a JavaScript module that needs nothing but a `tf` object, and the bytes of its constants. What a user of TensorFlow.js gets.
import { formatDim, isStatic, symbolsOf, type Dim } from '../../ir/dim.js';
import type { DType } from '../../ir/graph.js';
import { tfjsDType } from '../../ops/shared/tfjs.js';
import type { TfjsAttribute } from '../../ops/op.js';
import { slotsOf, type TfjsProgram } from './program.js';

export interface TfjsModule {
  /** JavaScript: `load(tf, bytes)` gives `run(inputs)`, `inputs` and `outputs` say their names and types, `metadata` what was given. */
  readonly text: string;
  /** Constants one after another, little-endian, each at a multiple of 4. */
  readonly bytes: Uint8Array;
}

export function tfjsModule(program: TfjsProgram, metadata: Readonly<Record<string, unknown>>): TfjsModule {
  const { rows, bytes } = layOut(program);
  const number = numbering(program);
  const lines = [
    '// Made by tpsc. `load` takes the tf object of any @tensorflow/tfjs package and the bytes of the file beside this one:',
    '//   const net = load(tf, await readFile("net.bin")); const { logits } = await net.run({ image });',
    '// Inputs and outputs are tensors; outputs are yours to dispose. Every tensor between is disposed when its last reader has run.',
    `export const metadata = ${JSON.stringify(metadata)};`,
    `export const inputs = ${literal(program.inputs.map(({ name, type }) => [name, typeText(type.dtype, type.shape)]))};`,
    `export const outputs = ${literal(program.outputs.map(({ name, type }) => [name, typeText(type.dtype, type.shape)]))};`,
    `const inputSlots = ${literal(program.inputs.map(({ name, slot }) => [name, String(number(slot))]))};`,
    `const outputSlots = ${literal(program.outputs.map(({ name, slot }) => [name, String(number(slot))]))};`,
    '// slot, dtype, shape, offset in the bytes',
    `const constants = [\n${rows.map((r) => `  [${number(r.slot)}, '${tfjsDType(r.dtype)}', [${r.shape.join(', ')}], ${r.offset}],`).join('\n')}\n];`,
    '// kernel, inputs, attributes, slot of the result, slots to dispose',
    `const calls = (${sizesOf(program)}) => [\n${program.calls.map((call) => `  ['${call.kernel}', ${inputsText(call.inputs, number)}, ${literal(Object.entries(call.attributes).map(([name, v]) => [name, attributeText(v)]))}, ${number(call.output)}, [${call.frees.map(number).join(', ')}]],`).join('\n')}\n];`,
    `const sizesOf = (given) => (${literal(symbolPlaces(program).map(({ symbol, input, axis }) => [symbol, `given[${JSON.stringify(input)}].shape[${axis}]`]))});`,
    LOADER,
  ];
  return { text: lines.join('\n'), bytes };
}

const LOADER = `
export function load(tf, bytes) {
  const engine = tf.engine();
  const make = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };
  const held = constants.map(([slot, dtype, shape, offset]) => {
    const length = shape.reduce((a, b) => a * b, 1), width = make[dtype].BYTES_PER_ELEMENT;
    const data = bytes.buffer.slice(bytes.byteOffset + offset, bytes.byteOffset + offset + length * width);
    return [slot, engine.makeTensor(new make[dtype](data), shape, dtype)];
  });
  return {
    async run(given) {
      const slots = new Map(held);
      for (const [name, slot] of Object.entries(inputSlots)) {
        if (given[name] === undefined) throw new Error(\`\${name} (\${inputs[name]}) is not given\`);
        slots.set(slot, given[name]);
      }
      const read = (slot) => slots.get(slot);
      for (const [kernel, from, attributes, to, last] of calls(sizesOf(given))) {
        const values = Array.isArray(from) ? from.map(read) : Object.fromEntries(Object.entries(from).map(([name, slot]) => [name, read(slot)]));
        slots.set(to, engine.runKernel(kernel, values, attributes));
        for (const slot of last) {
          read(slot).dispose();
          slots.delete(slot);
        }
      }
      return Object.fromEntries(Object.entries(outputSlots).map(([name, slot]) => [name, read(slot)]));
    },
    dispose() { for (const [, tensor] of held) tensor.dispose(); },
  };
}
`;

const literal = (entries: readonly (readonly [string, string])[]): string => `{ ${entries.map(([name, text]) => `${/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name)}: ${text}`).join(', ')} }`.replace('{  }', '{}');
const typeText = (dtype: DType, shape: readonly Dim[]): string => JSON.stringify(`${tfjsDType(dtype)}[${shape.map(formatDim).join(', ')}]`);

function attributeText(value: TfjsAttribute): string {
  if (!Array.isArray(value)) return JSON.stringify(value);
  return `[${(value as readonly (Dim | readonly number[])[]).map((d) => (Array.isArray(d) ? `[${d.join(', ')}]` : formatDim(d as Dim))).join(', ')}]`;
}

function inputsText(inputs: TfjsProgram['calls'][number]['inputs'], number: (slot: number) => number): string {
  return Array.isArray(inputs) ? `[${inputs.map(number).join(', ')}]` : literal(Object.entries(inputs).map(([name, slot]) => [name, String(number(slot))]));
}

/** Small numbers in the order of appearance: slots of calls that went are left out. */
function numbering(program: TfjsProgram): (slot: number) => number {
  const known = new Map<number, number>();
  const number = (slot: number): number => {
    const old = known.get(slot);
    if (old !== undefined) return old;
    known.set(slot, known.size);
    return known.size - 1;
  };
  for (const { slot } of [...program.inputs, ...program.constants]) number(slot);
  for (const call of program.calls) [...slotsOf(call.inputs), call.output].forEach(number);
  return number;
}

interface Place { readonly symbol: string; readonly input: string; readonly axis: number }
/** Where each symbol's size can be read. */
function symbolPlaces(program: TfjsProgram): readonly Place[] {
  const places = new Map<string, Place>();
  for (const { name, type } of program.inputs) for (const [axis, d] of type.shape.entries()) {
    const [symbol] = symbolsOf(d);
    if (!isStatic(d) && symbol !== undefined && formatDim(d) === symbol && !places.has(symbol)) places.set(symbol, { symbol, input: name, axis });
  }
  return [...places.values()];
}
const sizesOf = (program: TfjsProgram): string => `{ ${symbolPlaces(program).map((p) => p.symbol).join(', ')} }`;

interface Row { readonly slot: number; readonly dtype: DType; readonly shape: readonly number[]; readonly offset: number }

function layOut({ constants }: TfjsProgram): { readonly rows: readonly Row[]; readonly bytes: Uint8Array } {
  const rows: Row[] = [];
  let end = 0;
  for (const { slot, dtype, value } of constants) {
    rows.push({ slot, dtype, shape: value.shape, offset: end });
    end += Math.ceil((value.data.length * (dtype === 'bool' ? 1 : 4)) / 4) * 4;
  }
  const bytes = new Uint8Array(end), view = new DataView(bytes.buffer);
  constants.forEach(({ dtype, value: { data } }, i) => {
    const offset = rows[i]?.offset ?? 0;
    for (let k = 0; k < data.length; k++) {
      const v = data[k] ?? 0;
      if (dtype === 'f32') view.setFloat32(offset + 4 * k, v, true);
      else if (dtype === 'i64') view.setInt32(offset + 4 * k, v, true);
      else view.setUint8(offset + k, v);
    }
  });
  return { rows, bytes };
}
