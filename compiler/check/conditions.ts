// What is said of a `where` that does not hold: the values that break it, and the nearest that would not.
import type { Expr } from '../../grammar/ast.js';
import { printExpr } from '../../grammar/index.js';
import type { Context, Frame } from './context.js';
import { evaluate, lookup } from './expressions.js';
import { namesInExpr } from './uses.js';

/** `S = 100, s = 2`: the values of the names in a condition. */
export function valuesIn(ctx: Context, frame: Frame, e: Expr): string {
  const names = new Map<string, string>();
  const walk = (x: Expr): void => {
    if (x.kind === 'name') {
      const v = frame.scope.find(x.name) ?? lookup(ctx, frame, x.name, x.range);
      if (v.kind === 'number') names.set(x.name, `${x.name} = ${v.value}`);
    } else if (x.kind === 'binary' || x.kind === 'pipe') [x.left, x.right].forEach(walk);
    else if (x.kind === 'unary') walk(x.operand);
    else if (x.kind === 'call') x.args.forEach((a) => { walk(a.element.value); });
  };
  walk(e);
  return [...names.values()].join(', ');
}

/** For `x % n == 0`: the nearest values of `x` that hold. */
export function mendOf(ctx: Context, frame: Frame, e: Expr): string {
  if (e.kind === 'binary' && e.operator === '==' && e.left.kind === 'binary' && e.left.operator === '%' && namesInExpr(e.left.left).length > 0) {
    const [x, n] = [evaluate(ctx, frame, e.left.left), evaluate(ctx, frame, e.left.right)];
    if (x.kind === 'number' && n.kind === 'number' && n.value > 0) {
      const below = Math.floor(x.value / n.value) * n.value;
      return `\`${printExpr(e.left.left)}\` can be ${below > 0 ? `${below} or ` : ''}${below + n.value}`;
    }
  }
  return 'change the values, or the condition';
}
