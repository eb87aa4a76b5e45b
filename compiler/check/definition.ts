// Checks a block where it is defined, as far as linear arithmetic goes: sizes are symbols, what depends on more than that is not known.
import type { BlockDecl, TypeExpr } from '../../grammar/ast.js';
import { symbol, type Dim } from '../ir/dim.js';
import type { Module } from '../resolve/modules.js';
import { Context, newFrame, type Frame, type World } from './context.js';
import { evaluate } from './expressions.js';
import { runBody } from './statements.js';
import { asDim, dimValue, list, nothingKnown, type Value } from './values.js';

export function checkDefinition(world: World, module: Module, block: BlockDecl): void {
  const ctx = new Context(world, true, { definition: true });
  const frame = newFrame(module, block.name.text, block.name.text);
  for (const p of block.config ?? []) frame.scope.define(p.name, unknownOf(p.type, p.name.text));
  let open = 0;
  for (const p of block.inputs) {
    const value = tensorOf(ctx, frame, p.type, p.name.text, () => `_${++open}`);
    frame.scope.define(p.name, value);
  }
  for (const w of block.withs) frame.scope.define(w.name, evaluate(ctx, frame, w.value));
  runBody(ctx, frame, block.body);
  for (const later of frame.deferred) later();
}

function unknownOf(type: TypeExpr, name: string): Value {
  if (type.kind !== 'named') return nothingKnown;
  if (type.name === 'int') return dimValue(symbol(name));
  if (type.name === 'pair') return list([dimValue(symbol(`${name}0`)), dimValue(symbol(`${name}1`))]);
  if (type.name === 'task') return { kind: 'task', set: undefined };
  return nothingKnown;
}

function tensorOf(ctx: Context, frame: Frame, type: TypeExpr, name: string, fresh: () => string): Value {
  if (type.kind === 'named' && type.name === 'task') return { kind: 'task', set: undefined };
  if (type.kind === 'list') tensorOf(ctx, frame, type.element, name, fresh);
  if (type.kind !== 'tensor') return nothingKnown;
  const shape: Dim[] = [];
  let known = true;
  for (const d of type.dims) {
    if (d.kind === 'rest') {
      // any number of axes: the tensor is not known, its named sizes are symbols
      known = false;
      if (d.name !== undefined && frame.scope.find(d.name.text) === undefined) frame.scope.define(d.name, nothingKnown);
    } else if (d.kind === 'any') shape.push(symbol(fresh()));
    else {
      if (d.value.kind === 'name' && frame.scope.find(d.value.name) === undefined && !frame.module.names.has(d.value.name)) {
        frame.scope.define({ text: d.value.name, range: d.range }, dimValue(symbol(d.value.name)));
      }
      const size = asDim(evaluate(ctx, frame, d.value));
      if (size === undefined) known = false;
      else shape.push(size);
    }
  }
  if (!known) return nothingKnown;
  return ctx.tensor(ctx.builder.leaf('input', { name }, { dtype: type.dtype === 'i64' ? 'i64' : type.dtype === 'bool' ? 'bool' : 'f32', shape }));
}
