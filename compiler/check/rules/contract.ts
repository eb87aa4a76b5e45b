// What a training gives a model and wants of it: one image, its mask; logits of the image's size.
import type { EntriesDecl, ModelDecl, Range } from '../../../grammar/ast.js';
import { sameShape } from '../../ir/builder.js';
import { formatDim, isStatic } from '../../ir/dim.js';
import { formatType, type TensorType } from '../../ir/graph.js';
import type { Module } from '../../resolve/modules.js';
import type { Elaboration } from '../model.js';

const IMAGE = 'a data set gives one image a sample, f32[B, 3, H, W] with an open batch; give other values to blocks as constants';

/** Whether a data set can give it: f32[B, C, H, W], the batch open, the sizes known. */
export function isImage({ dtype, shape: [batch, ...sizes] }: TensorType): boolean {
  return dtype === 'f32' && sizes.length === 3 && batch !== undefined && !isStatic(batch) && sizes.every(isStatic);
}

export function checkContract(module: Module, model: ModelDecl, train: EntriesDecl, elaboration: Elaboration): void {
  const { ctx, inputs, result, config } = elaboration;
  const name = model.name.text;
  const refuse = (range: Range, fault: string, help: string): void => ctx.report('TPS4017', range, module, { name, fault, help });
  const [first, second] = inputs;
  if (first === undefined) {
    if (!model.inputs.some((p) => p.type.kind !== 'named')) refuse(model.name.range, 'takes no image', IMAGE);
    return;
  }
  const rangeOf = (input: string): Range => model.inputs.find((p) => p.name.text === input)?.range ?? model.name.range;
  if (second !== undefined) refuse(rangeOf(second.name), `takes a second tensor, \`${second.name}\``, IMAGE);
  const image = first.type;
  if (!isImage(image)) {
    refuse(rangeOf(first.name), `takes ${formatType(image)}`, IMAGE);
    return;
  }
  const [B = 1, , H = 1, W = 1] = image.shape;
  // a loss that did not fit has said as much
  if (result !== undefined && elaboration.loss !== undefined) {
    const logits = elaboration.outputs.find((o) => o.name === 'logits');
    const type = logits === undefined ? undefined : ctx.builder.type(logits.id);
    if (type === undefined) refuse(model.result.range, 'returns no `logits`', 'return one tensor, or a record with a field `logits`');
    else if (type.dtype !== 'f32' || !sameShape(type.shape, [B, 1, H, W])) {
      refuse(model.result.range, `returns ${formatType(type)} as logits of ${formatType(image)}`, `logits are ${formatType({ dtype: 'f32', shape: [B, 1, H, W] })}: one a pixel; \`|> resize([${formatDim(H)}, ${formatDim(W)}], mode: bilinear)\` brings a map to that size`);
    }
  }
  const resize = config?.augment.find((step) => step.kind === 'resize');
  if (resize?.kind === 'resize' && (resize.height !== H || resize.width !== W)) {
    const at = train.entries.find((e) => e.key.text === 'augment')?.value.range ?? train.name.range;
    ctx.report('TPS6002', at, module, { key: 'augment', found: `resized to ${resize.height} x ${resize.width}`, help: `\`${name}\` takes ${formatDim(H)} x ${formatDim(W)}: \`resize([${formatDim(H)}, ${formatDim(W)}])\`` });
  }
}
