// Concrete to abstract: statements. A damaged one keeps its name where its head was read; otherwise it becomes an error item.
import type { CstNode } from 'chevrotain';
import type { Entry, ErrorItem, Expr, IfStmt, Stmt } from '../ast.js';
import type { Damage } from '../parse/recovery.js';
import {
  extentOf, has, identifier, Incomplete, namesIn, node, nodes, onlyNode, optionalNode, optionalToken, rangeOf, rangeOfTokens, token, tokens,
  type Context,
} from './cst.js';
import { buildExpr, buildPath, buildPer, buildRecord, buildTarget, buildType } from './expressions.js';

export const errorItem = (damage: Damage, context: Context): ErrorItem =>
  ({ kind: 'error', names: namesIn(damage, context), range: rangeOfTokens(damage, context) });

export const errorExpr = (damage: Damage, context: Context): Expr =>
  ({ kind: 'error', names: namesIn(damage, context), range: rangeOfTokens(damage, context) });

/** Builds; where the tree lacks something, what `otherwise` says. */
export function attempt<T>(build: () => T, otherwise: () => T): T {
  try {
    return build();
  } catch (error) {
    if (error instanceof Incomplete) return otherwise();
    throw error;
  }
}

/** What an item covers: recorded where it was recovered, its own range where only its head was. */
export const extentOfItem = (item: CstNode, context: Context): Damage =>
  context.damage.get(item) ?? extentOf(rangeOf(item, context), context);

export function docAt(line: number, { docs }: Context): { readonly doc?: string } {
  const doc = docs.get(line - 1);
  return doc === undefined ? {} : { doc };
}

export function buildBody(body: CstNode, context: Context): readonly Stmt[] {
  return nodes(body, 'stmtItem').map((item) => {
    const damage = context.damage.get(item);
    const stmt = optionalNode(item, 'stmt');
    if (stmt === undefined) return errorItem(extentOfItem(item, context), context);
    return buildStmt(stmt, damage, () => extentOfItem(item, context), context);
  });
}

/** `damage` is set where the item was recovered: then no expression of it is trusted. */
export function buildStmt(stmt: CstNode, damage: Damage | undefined, extent: () => Damage, context: Context): Stmt {
  const inner = onlyNode(stmt);
  const failed = (): ErrorItem => errorItem(extent(), context);
  if (inner === undefined) return failed();
  return attempt<Stmt>(() => buildInner(inner, damage, context), failed);
}

type Documented = { readonly doc?: string };

function buildInner(cst: CstNode, damage: Damage | undefined, context: Context): Stmt {
  const range = damage === undefined ? rangeOf(cst, context) : rangeOfTokens(damage, context);
  const doc = docAt(range.start.line, context);
  const value = (): Expr => (damage === undefined ? buildExpr(node(cst, 'expr'), context) : valueOfDamaged(cst, damage, context));
  const name = () => identifier(token(cst, 'Ident'), context);
  switch (cst.name) {
    case 'letStmt': return { kind: 'let', target: letTarget(cst, context), value: value(), range, ...doc };
    case 'layerStmt': {
      const type = optionalNode(cst, 'type');
      return {
        kind: 'layer', target: buildTarget(node(cst, 'target'), context), ...(type === undefined || type.recoveredNode === true ? {} : { type: buildType(type, context) }),
        value: value(), range, ...doc,
      };
    }
    case 'paramStmt': {
      const type = optionalNode(cst, 'type');
      const known = type !== undefined && type.recoveredNode !== true && (damage === undefined || has(cst, 'Init'));
      return {
        kind: 'param', name: name(), type: known ? buildType(type, context) : { kind: 'error', range }, range, ...doc,
        init: damage === undefined ? buildExpr(node(cst, 'expr'), context) : errorExpr(damage, context),
      };
    }
    case 'bindStmt': {
      const kind = has(cst, 'Carry') ? 'carry' : has(cst, 'Next') ? 'next' : 'emit';
      return { kind, name: name(), value: value(), range, ...doc };
    }
    case 'returnStmt': return { kind: 'return', value: damage === undefined ? value() : errorExpr(damage, context), range, ...doc };
    case 'forStmt': {
      const head = node(cst, 'forHead');
      return {
        kind: 'for', name: identifier(token(head, 'Ident'), context), iterable: buildExpr(node(head, 'expr'), context),
        body: buildBody(node(cst, 'body'), context), range, ...doc,
      };
    }
    case 'ifStmt': return buildIf(cst, context, doc);
    case 'codecStmt': {
      const record = optionalNode(cst, 'record');
      const withs = record === undefined || record.recoveredNode === true ? {} : { with: buildRecord(record, context) };
      return {
        kind: has(cst, 'Encoder') ? 'encoder' : 'decoder', target: buildTarget(node(cst, 'target'), context), value: value(), range, ...withs, ...doc,
      };
    }
    case 'adapterStmt': return {
      kind: 'adapter', name: name(), ...per(cst, context), place: has(cst, 'Before') ? 'before' : has(cst, 'After') ? 'after' : 'beside',
      path: buildPath(node(cst, 'path'), context), value: value(), range, ...doc,
    };
    case 'gateStmt': return {
      kind: 'gate', name: name(), ...per(cst, context), over: buildPath(node(cst, 'path'), context), value: value(), range, ...doc,
    };
    default: {
      const head = node(cst, 'stateHead');
      return {
        kind: has(head, 'Prototypes') ? 'prototypes' : 'state', name: identifier(token(head, 'Ident'), context), ...per(head, context),
        type: buildType(node(head, 'type'), context), ...buildEntries(node(cst, 'entries'), context), range, ...doc,
      };
    }
  }
}

/** The head was read up to its `=`; what follows is not trusted. */
function valueOfDamaged(cst: CstNode, damage: Damage, context: Context): Expr {
  token(cst, 'Equals');
  return errorExpr(damage, context);
}

function letTarget(cst: CstNode, context: Context) {
  const pattern = optionalNode(cst, 'pattern');
  if (pattern === undefined) return { kind: 'name', names: [identifier(token(cst, 'Ident'), context)] } as const;
  const names = nodes(node(cst, 'pattern'), 'patternName').map((n) => identifier(optionalToken(n, 'Ident') ?? token(n, 'Underscore'), context));
  return { kind: 'list', names } as const;
}

function per(cst: CstNode, context: Context) {
  const clause = optionalNode(cst, 'perClause');
  return clause === undefined ? {} : { per: buildPer(clause, context) };
}

function buildIf(cst: CstNode, context: Context, doc: Documented): IfStmt {
  const head = node(cst, 'ifHead');
  const branch = has(cst, 'Else') ? node(cst, 'elseBranch') : undefined;
  const nested = branch === undefined ? undefined : optionalNode(branch, 'ifStmt');
  const otherwise = branch === undefined ? {}
    : { else: nested === undefined ? buildBody(node(branch, 'body'), context) : [buildIf(node(branch, 'ifStmt'), context, {})] };
  return {
    kind: 'if', condition: buildExpr(node(head, 'expr'), context), then: buildBody(node(cst, 'body'), context), range: rangeOf(cst, context),
    ...otherwise, ...doc,
  };
}

/** Entries, and the names that unreadable ones mention. */
export function buildEntries(cst: CstNode, context: Context): { readonly entries: readonly Entry[]; readonly damaged?: readonly string[] } {
  const entries: Entry[] = [];
  const damaged: string[] = [];
  for (const item of nodes(cst, 'entryItem')) {
    const damage = context.damage.get(item);
    const entry = optionalNode(item, 'entry');
    const key = entry === undefined ? undefined : tokens(entry, 'Word')[0];
    if (entry === undefined || key === undefined || !has(entry, 'Equals')) {
      damaged.push(...namesIn(extentOfItem(item, context), context));
      continue;
    }
    entries.push({
      key: identifier(key, context), value: damage === undefined ? buildExpr(node(entry, 'expr'), context) : errorExpr(damage, context),
      range: damage === undefined ? rangeOf(entry, context) : rangeOfTokens(damage, context),
    });
  }
  return { entries, ...(damaged.length === 0 ? {} : { damaged }) };
}
