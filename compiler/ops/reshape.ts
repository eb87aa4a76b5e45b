// The op `reshape`: its row of the table.
import { divideDim, equalDim, formatDim, formatShape, isStatic, productDim, type Dim } from '../ir/dim.js';
import { formatType, type TensorType } from '../ir/graph.js';
import { ndarray } from '../ir/ndarray.js';
import { OpError, type OpDef } from './op.js';
import { at, dimsAttr } from './shared/attrs.js';
import { requireSizes } from './shared/rules.js';
import { reshapeTfjs } from './shared/tfjs.js';

export const reshape: OpDef = {
  name: 'reshape',
  doc: 'The same elements, in row-major order, under another shape.',
  constraints: ['(C1) `shape` has as many elements as x', '(C2) the sizes are integers from 1 on; none is left to be found'],
  inputs: ['x'],
  attrs: { shape: { kind: 'dims', doc: 'the new shape' } },
  surface: true,
  infer(inputs, attrs) {
    const x = at(inputs, 0);
    const shape = dimsAttr(attrs, 'shape');
    const open = shape.indexOf(-1);
    if (open >= 0) {
      const size = fitting(x, shape, open);
      throw new OpError('attr', `reshape: ${formatShape(shape)} leaves a size open`, size === undefined ? 'write the size' : `write ${formatShape(replaced(shape, open, size))}`);
    }
    requireSizes('reshape', shape);
    const [has, wants] = [productDim(x.shape), productDim(shape)];
    if (equalDim(has, wants)) return { dtype: x.dtype, shape };
    throw new OpError('shape', `reshape: x is ${formatType(x)} with ${formatDim(has)} elements, ${formatShape(shape)} has ${formatDim(wants)}`, mend(x, shape));
  },
  gradient: ({ b, dy, inputs, needs }) => [needs(0) ? b.reshape(dy, b.shape(at(inputs, 0))) : undefined],
  evaluate: (inputs, _attrs, shape) => ndarray(shape, at(inputs, 0).data),
  onnx(c, node, inputs) {
    const { shape } = node.type;
    // one symbolic size can be found by the runtime: a constant target keeps the graph free of shape arithmetic
    const target = shape.filter((d) => !isStatic(d)).length === 1 ? c.ints(shape.map((d) => (isStatic(d) ? d : -1))) : c.shape(shape);
    return c.emit('Reshape', [at(inputs, 0), target]);
  },
  tfjs: (c, node, inputs) => reshapeTfjs(c, at(inputs, 0), node.type.shape),
};

const replaced = (shape: readonly Dim[], i: number, size: Dim): readonly Dim[] => shape.map((d, j) => (j === i ? size : d));
/** The size at place `i` that would make the element counts equal. */
const fitting = (x: TensorType, shape: readonly Dim[], i: number): Dim | undefined =>
  divideDim(productDim(x.shape), productDim(replaced(shape, i, 1)));

function mend(x: TensorType, shape: readonly Dim[]): string {
  for (let i = shape.length - 1; i >= 0; i--) {
    const size = fitting(x, shape, i);
    if (size !== undefined) return `${formatShape(replaced(shape, i, size))} would fit`;
  }
  return 'no single size of it, changed, would fit: the product of the sizes must stay';
}
