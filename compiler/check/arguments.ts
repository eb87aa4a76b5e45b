// Arguments of calls of any kind: their order, and their values.
import type { Argument } from '../../grammar/ast.js';
import type { Context, Frame } from './context.js';
import { elementValues, evaluate } from './expressions.js';
import { list, type Value } from './values.js';
import { isWord } from './vocabulary.js';

/** All that a faulty call was given: what comes of it depends on that. A bare word is no value: it may be one that the call would know. */
export const valuesOf = (ctx: Context, frame: Frame, args: readonly Argument[], piped: Value | undefined): Value[] => {
  const isWordHere = ({ element: { value: e } }: Argument): boolean => e.kind === 'name' && frame.scope.find(e.name) === undefined && isWord(e.name);
  return [...args.flatMap((a) => (isWordHere(a) ? [] : elementValues(ctx, frame, a.element))), ...(piped === undefined ? [] : [piped])];
};

/** Named arguments after those without a name; false (reported) otherwise. */
export function wellOrdered(ctx: Context, frame: Frame, args: readonly Argument[]): boolean {
  let named = false;
  for (const a of args) {
    if (a.name !== undefined) named = true;
    else if (named) {
      ctx.report('TPS3019', a.range, frame.module, {});
      return false;
    }
  }
  return true;
}

/** The value of an argument; `e for x in xs` is the list of its turns. */
export function argument(ctx: Context, frame: Frame, a: Argument, name: string | undefined): Value {
  if (a.element.for !== undefined) return list(elementValues(ctx, frame, a.element));
  return evaluate(ctx, frame, a.element.value, name === undefined ? {} : { param: name });
}
