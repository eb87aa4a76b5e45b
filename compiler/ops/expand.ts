// The op `expand`: its row of the table.
import { equalDim, formatDim, formatShape } from '../ir/dim.js';
import { formatType } from '../ir/graph.js';
import { OpError, type OpDef } from './op.js';
import { broadcastTo } from './shared/arrays.js';
import { at, dimsAttr } from './shared/attrs.js';
import { requireSizes } from './shared/rules.js';
import { expandTfjs } from './shared/tfjs.js';

export const expand: OpDef = {
  name: 'expand',
  doc: 'x repeated along its axes of size 1, or a scalar repeated to any shape.',
  constraints: ['(C1) `shape` has the rank of x, or x is a scalar', '(C2) each size of x is 1 or that of `shape`'],
  inputs: ['x'],
  attrs: { shape: { kind: 'dims', doc: 'the shape to fill' } },
  surface: true,
  infer(inputs, attrs) {
    const x = at(inputs, 0);
    const shape = dimsAttr(attrs, 'shape');
    requireSizes('expand', shape);
    if (x.shape.length !== 0 && x.shape.length !== shape.length) {
      throw new OpError('rank', `expand: x is ${formatType(x)}, ${formatShape(shape)} has rank ${shape.length}`, `reshape x to rank ${shape.length} first`);
    }
    for (const [axis, d] of x.shape.entries()) {
      if (d === 1 || equalDim(d, at(shape, axis))) continue;
      throw new OpError('shape', `expand: x is ${formatType(x)}; axis ${axis} of size ${formatDim(d)} cannot fill ${formatShape(shape)}`,
        `an axis is repeated from size 1 only; write ${formatDim(d)} at axis ${axis}`);
    }
    return { dtype: x.dtype, shape };
  },
  gradient: ({ b, dy, inputs, needs }) => [needs(0) ? b.sumTo(dy, b.shape(at(inputs, 0))) : undefined],
  evaluate: (inputs, _attrs, shape) => broadcastTo(at(inputs, 0), shape),
  onnx(c, node, inputs) {
    const from = c.typeOf(at(node.inputs, 0)).shape;
    // ONNX keeps a size where the target says 1, which spares the computing of symbolic sizes that x has already
    return c.emit('Expand', [at(inputs, 0), c.shape(node.type.shape.map((d, i) => (equalDim(d, from[i] ?? 1) ? 1 : d)))]);
  },
  tfjs: (c, node, inputs) => expandTfjs(c, at(inputs, 0), node.type.shape),
};
