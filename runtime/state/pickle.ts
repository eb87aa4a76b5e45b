// Reads pickles of protocols 2 to 5 that hold plain data and a few named things. Nothing in a pickle can run here: a name is looked up
// in a table of the caller's, and what is not in it is refused. What the names mean is not known here.

/** A pickle that is damaged, or asks for what is not allowed, told as why. */
export class PickleError extends Error {}

/** A dict or an OrderedDict. */
export class PickleDict { readonly items = new Map<unknown, unknown>(); }

/** Something that a pickle may hold and nobody reads: it has no value here. */
export const OPAQUE = Symbol('opaque');

/** A name that pickles may use. `call`: what it gives for arguments; absent: it is only named. */
export interface PickleName { readonly call?: (args: readonly unknown[]) => unknown }

export interface PickleTable {
  /** By `module name`. */
  readonly names: ReadonlyMap<string, PickleName>;
  /** What a persistent id stands for. */
  readonly persistent: (id: unknown) => unknown;
}

/** Rough bytes of memory that the values of a pickle may take: a network's state dict takes a hundredth. */
const BUDGET = 24 * 2 ** 20;
const COST = { dict: 400, list: 100, number: 24, memo: 60 } as const;

const decoder = new TextDecoder();

/** Opcodes that would call, import or make objects by other ways than a name of the table. */
const FORBIDDEN: ReadonlyMap<number, string> = new Map([
  [0x69, 'INST'], [0x6f, 'OBJ'], [0x81, 'NEWOBJ'], [0x92, 'NEWOBJ_EX'], [0x82, 'EXT1'], [0x83, 'EXT2'], [0x84, 'EXT4'], [0x50, 'PERSID'], [0x97, 'NEXT_BUFFER'],
]);

/** The value of a pickle: numbers, strings, bytes, arrays (lists and tuples), PickleDict, and what the table gives. Throws PickleError. */
export function unpickle(bytes: Uint8Array, table: PickleTable): unknown {
  return new Machine(bytes, table).run();
}

class Machine {
  private at = 0;
  private spent = 0;
  private readonly stack: unknown[] = [];
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, unknown>();
  private readonly view: DataView;
  constructor(private readonly bytes: Uint8Array, private readonly table: PickleTable) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): unknown {
    if (this.bytes[0] !== 0x80) throw new PickleError('it does not begin as a pickle of protocol 2 or later');
    for (;;) {
      const opcode = this.byte();
      if (opcode === 0x2e) return this.pop();
      this.step(opcode);
    }
  }

  private step(opcode: number): void {
    switch (opcode) {
      case 0x80: { // PROTO
        const protocol = this.byte();
        if (protocol < 2 || protocol > 5) throw new PickleError(`its protocol is ${protocol}; 2 to 5 are understood`);
        return;
      }
      case 0x95: this.skip(8); return; // FRAME
      case 0x28: this.spend(COST.number); this.marks.push(this.stack.length); return; // MARK
      case 0x30: this.pop(); return; // POP
      case 0x31: this.toMark(); return; // POP_MARK
      case 0x4e: this.push(null); return;
      case 0x88: this.push(true); return;
      case 0x89: this.push(false); return;
      case 0x4a: this.push(this.view.getInt32(this.skip(4), true)); return; // BININT
      case 0x4b: this.push(this.byte()); return;
      case 0x4d: this.push(this.view.getUint16(this.skip(2), true)); return;
      case 0x8a: this.push(this.long(this.byte())); return; // LONG1
      case 0x47: this.push(this.view.getFloat64(this.skip(8), false)); return; // BINFLOAT
      case 0x58: this.text(this.view.getUint32(this.skip(4), true)); return; // BINUNICODE
      case 0x8c: this.text(this.byte()); return;
      case 0x8d: this.text(this.size8()); return;
      case 0x54: this.text(this.view.getUint32(this.skip(4), true)); return; // BINSTRING, of Python 2
      case 0x55: this.text(this.byte()); return;
      case 0x42: this.blob(this.view.getUint32(this.skip(4), true)); return; // BINBYTES
      case 0x43: this.blob(this.byte()); return;
      case 0x8e: this.blob(this.size8()); return;
      case 0x5d: case 0x29: case 0x8f: this.list([]); return; // EMPTY_LIST, EMPTY_TUPLE, EMPTY_SET
      case 0x74: case 0x6c: case 0x91: this.list(this.toMark()); return; // TUPLE, LIST, FROZENSET
      case 0x85: case 0x86: case 0x87: { // TUPLE1, 2, 3
        const items = Array.from({ length: opcode - 0x84 }, () => this.pop());
        this.list(items.reverse());
        return;
      }
      case 0x61: { const item = this.pop(); this.listOnTop().push(item); return; } // APPEND
      case 0x65: case 0x90: { // APPENDS, ADDITEMS
        const items = this.toMark(), list = this.listOnTop();
        for (const item of items) list.push(item);
        return;
      }
      case 0x7d: this.spend(COST.dict); this.stack.push(new PickleDict()); return; // EMPTY_DICT
      case 0x64: { // DICT
        const items = this.toMark();
        this.spend(COST.dict);
        const dict = new PickleDict();
        this.stack.push(dict);
        this.set(dict, items);
        return;
      }
      case 0x73: { const value = this.pop(), key = this.pop(); this.set(this.dictOnTop(), [key, value]); return; } // SETITEM
      case 0x75: { const items = this.toMark(); this.set(this.dictOnTop(), items); return; } // SETITEMS
      case 0x68: this.recall(this.byte()); return; // BINGET
      case 0x6a: this.recall(this.view.getUint32(this.skip(4), true)); return;
      case 0x71: this.remember(this.byte()); return; // BINPUT
      case 0x72: this.remember(this.view.getUint32(this.skip(4), true)); return;
      case 0x94: this.remember(this.memo.size); return; // MEMOIZE
      case 0x63: this.name(this.line(), this.line()); return; // GLOBAL
      case 0x93: { const name = this.pop(), module = this.pop(); this.name(String(module), String(name)); return; } // STACK_GLOBAL
      case 0x52: { // REDUCE
        const args = this.pop(), called = this.pop();
        if (!isName(called) || called.call === undefined || !Array.isArray(args)) throw new PickleError('it calls what is no function');
        this.push(called.call(args));
        return;
      }
      case 0x62: { // BUILD: attributes of an OrderedDict (its version) or of what nobody reads: they mean nothing here
        this.pop();
        if (!(this.stack.at(-1) instanceof PickleDict || this.stack.at(-1) === OPAQUE)) throw new PickleError('it sets attributes of what has none');
        return;
      }
      case 0x51: this.push(this.table.persistent(this.pop())); return; // BINPERSID
      default: {
        const forbidden = FORBIDDEN.get(opcode);
        throw new PickleError(forbidden === undefined ? `opcode 0x${opcode.toString(16)} at byte ${this.at - 1} is none that a state dict has` : `it makes an object of its own (${forbidden}), which no state dict does`);
      }
    }
  }

  private spend(bytes: number): void {
    this.spent += bytes;
    if (this.spent > BUDGET) throw new PickleError('it holds far more values than any state dict');
  }
  private skip(count: number): number {
    const { at } = this;
    if (count > this.bytes.length - at) throw new PickleError('it ends in the middle');
    this.at += count;
    return at;
  }
  private byte(): number { return this.view.getUint8(this.skip(1)); }
  private size8(): number { return Number(this.view.getBigUint64(this.skip(8), true)); }
  private push(value: unknown): void {
    this.spend(COST.number);
    this.stack.push(value);
  }
  private list(items: unknown[]): void {
    this.spend(COST.list);
    this.stack.push(items);
  }
  private pop(): unknown {
    if (this.stack.length <= (this.marks.at(-1) ?? 0)) throw new PickleError('it takes what is not there');
    return this.stack.pop();
  }
  private toMark(): unknown[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw new PickleError('it takes what is not there');
    return this.stack.splice(mark);
  }
  private listOnTop(): unknown[] {
    const top = this.stack.at(-1);
    if (!Array.isArray(top)) throw new PickleError('it appends to what is no list');
    this.spend(COST.number);
    return top as unknown[];
  }
  private dictOnTop(): PickleDict {
    const top = this.stack.at(-1);
    if (!(top instanceof PickleDict)) throw new PickleError('it sets items of what is no dict');
    return top;
  }
  private set(dict: PickleDict, items: readonly unknown[]): void {
    if (items.length % 2 !== 0) throw new PickleError('a key has no value');
    this.spend(items.length * COST.number);
    for (let i = 0; i < items.length; i += 2) dict.items.set(items[i], items[i + 1]);
  }
  private remember(index: number): void {
    if (this.stack.length === 0) throw new PickleError('it takes what is not there');
    this.spend(COST.memo);
    this.memo.set(index, this.stack.at(-1));
  }
  private recall(index: number): void {
    if (!this.memo.has(index)) throw new PickleError('it recalls what was not there');
    this.push(this.memo.get(index));
  }
  private text(length: number): void {
    const at = this.skip(length);
    this.spend(length * 2 + COST.number);
    this.stack.push(decoder.decode(this.bytes.subarray(at, at + length)));
  }
  private blob(length: number): void {
    const at = this.skip(length);
    this.push(this.bytes.subarray(at, at + length));
  }
  /** Little endian, two's complement. */
  private long(length: number): number | bigint {
    const at = this.skip(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.view.getUint8(at + i));
    if (length > 0 && this.view.getUint8(at + length - 1) >= 0x80) value -= 1n << BigInt(8 * length);
    return value >= -BigInt(Number.MAX_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  }
  private line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0 || end - this.at > 500) throw new PickleError('a name in it has no end');
    const text = decoder.decode(this.bytes.subarray(this.at, end));
    this.at = end + 1;
    return text;
  }
  private name(module: string, name: string): void {
    const found = this.table.names.get(`${module} ${name}`);
    if (found === undefined) throw new PickleError(`it names ${JSON.stringify(`${module}.${name}`)}, which no state dict needs; nothing of it was run`);
    this.push(found);
  }
}

const isName = (v: unknown): v is PickleName => typeof v === 'object' && v !== null && !Array.isArray(v) && !(v instanceof PickleDict) && 'call' in v && typeof v.call === 'function';
