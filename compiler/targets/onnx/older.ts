// How an older opset says what the rows of the op table write as opset 20 has it. One entry per operator whose form is newer than the least opset.
import type { OnnxAttribute } from '../../ops/op.js';

export interface Written { readonly opType: string; readonly inputs: readonly string[]; readonly attributes: Readonly<Record<string, OnnxAttribute>> }

/** What a form asks of the emitter. */
interface Context {
  emit(opType: string, inputs: readonly string[], attributes?: Readonly<Record<string, OnnxAttribute>>): string;
  float(value: number): string;
  /** Elements of a constant that was written before. Throws for another value. */
  elementsOf(name: string): readonly number[];
}

interface Form {
  /** Opset of the form that rows write. */
  readonly since: number;
  /** The node of the same meaning in older opsets; nodes before it are emitted. */
  readonly before: (c: Context, node: Written) => Written;
}

const axesAsAttribute: Form = {
  since: 18,
  before: (c, { opType, inputs: [x = '', axes = ''], attributes }) => ({ opType, inputs: [x], attributes: { axes: { ints: c.elementsOf(axes) }, ...attributes } }),
};

const FORMS: Readonly<Record<string, Form>> = {
  ReduceMean: axesAsAttribute,
  ReduceMax: axesAsAttribute,
  ReduceMin: axesAsAttribute,
  /** x · (1 + erf(x / √2)) / 2; the halving last, as runtimes that fuse the pattern look for it. */
  Gelu: {
    since: 20,
    before: (c, { inputs: [x = ''] }) => {
      const bell = c.emit('Add', [c.emit('Erf', [c.emit('Div', [x, c.float(Math.SQRT2)])]), c.float(1)]);
      return { opType: 'Mul', inputs: [c.emit('Mul', [x, bell]), c.float(0.5)], attributes: {} };
    },
  },
};

/** The node as `opset` says it. */
export function asOpset(opset: number, c: Context, node: Written): Written {
  const form = FORMS[node.opType];
  return form === undefined || opset >= form.since ? node : form.before(c, node);
}
