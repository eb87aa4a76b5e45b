// Mends for frequent slips, by what stands where. Only words; what is wrong was found elsewhere.
import type { IToken } from 'chevrotain';
import { Ident, Name } from '../text/tokens.js';

const isName = (token: IToken): boolean => token.tokenType === Name || token.tokenType.CATEGORIES?.includes(Ident) === true;

const beginnings: Readonly<Record<string, string>> = {
  junkDeclaration: 'it begins with edition, from, dim, setting, tasks, dataset, block, model, train, weights, variant or study',
  junkStatement: 'it begins with let, layer, param, carry, next, emit, return, for, if, encoder, decoder, adapter, gate, prototypes or state',
  editItem: 'it is remove, set, replace, insert or alias',
  entryItem: 'it is `name = value`',
  taskItem: 'it is `CODE "name" { … }`',
  weightItem: 'it is `"pattern" -> path`',
};

/** What an item of a kind begins with; for a name at a statement's start, the two statements that may be meant. */
export function itemHelp(rule: string, found: IToken): string {
  if (rule === 'junkStatement' && isName(found)) return `write \`let ${found.image} = …\`, or \`next ${found.image} = …\` where \`carry\` made it`;
  if ((rule === 'junkStatement' || rule === 'junkDeclaration') && (found.image === '(' || found.image === '[')) return 'a line that begins with a bracket is no call and no index: join it to the line above';
  return beginnings[rule] ?? '';
}

/** `==` where `=` is meant. */
export function equalsHelp(found: IToken, expected: string): string | undefined {
  if (expected === '`=`' && found.image === '==') return '`==` compares; `=` defines';
  if (expected === '`=`' && found.image === ':') return '`=` defines; `:` names an argument, keys a record or gives a type';
  if (expected === '`:`' && found.image === '=') return '`:` keys a record and gives a type; `=` defines';
  return undefined;
}
