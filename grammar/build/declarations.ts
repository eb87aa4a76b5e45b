// Concrete to abstract: declarations, and the file as a whole.
import type { CstNode } from 'chevrotain';
import type { BlockDecl, Declaration, Edit, Expr, Identifier, ImportDecl, Parameter, TasksDecl, VariantDecl, WeightsDecl } from '../ast.js';
import { diagnostic } from '../diagnostics.js';
import type { Damage } from '../parse/recovery.js';
import { tokenRange } from '../text/lexer.js';
import {
  has, identifier, Incomplete, namesIn, node, nodes, onlyNode, optionalNode, optionalToken, rangeOf, rangeOfTokens, spanning, token, tokens,
  type Context,
} from './cst.js';
import { buildExpr, buildPath, buildRecord, buildType, unquote } from './expressions.js';
import { attempt, buildBody, buildEntries, buildStmt, docAt, errorExpr, errorItem, extentOfItem } from './statements.js';

export function buildDeclarations(file: CstNode, context: Context): readonly Declaration[] {
  return nodes(file, 'declItem').map((item) => {
    const inner = onlyNode(item);
    const failed = (): Declaration => errorItem(extentOfItem(item, context), context);
    if (inner === undefined) return failed();
    return attempt<Declaration>(() => buildDeclaration(inner, context.damage.get(item), context), failed);
  });
}

function buildDeclaration(cst: CstNode, damage: Damage | undefined, context: Context): Declaration {
  const range = damage === undefined ? rangeOf(cst, context) : rangeOfTokens(damage, context);
  const doc = docAt(range.start.line, context);
  const name = (): Identifier => identifier(token(cst, 'Ident'), context);
  switch (cst.name) {
    case 'editionDecl': return buildEdition(cst, context);
    case 'importDecl': return { ...buildImport(cst, context), range, ...doc };
    case 'dimDecl': return { kind: 'dim', name: name(), range, ...doc };
    case 'settingDecl': {
      if (damage !== undefined) token(cst, 'Equals');
      return {
        kind: 'setting', name: name(), type: buildType(node(cst, 'type'), context), range, ...doc,
        value: damage === undefined ? buildExpr(node(cst, 'expr'), context) : errorExpr(damage, context),
        where: damage === undefined ? wheres(cst, context) : [],
      };
    }
    case 'tasksDecl': {
      const head = node(cst, 'tasksHead');
      return { kind: 'tasks', name: identifier(token(head, 'Ident'), context), ...buildTasks(cst, context), range, ...doc };
    }
    case 'blockDecl': return { ...buildBlock(node(cst, 'blockHead'), node(cst, 'body'), context), range, ...doc };
    case 'modelDecl': {
      const head = node(cst, 'modelHead');
      const { inputs, ...rest } = headOf(head, [node(head, 'params')], context);
      return { kind: 'model', ...rest, inputs, body: buildBody(node(cst, 'body'), context), range, ...doc };
    }
    case 'entriesDecl': {
      const head = node(cst, 'entriesHead');
      const kind = has(head, 'Train') ? 'train' : has(head, 'Study') ? 'study' : 'dataset';
      return { kind, ...nameOf(node(head, 'nameOf'), context), ...buildEntries(node(cst, 'entries'), context), range, ...doc };
    }
    case 'variantDecl': return { ...buildVariant(cst, context), range, ...doc };
    default: return { ...buildWeights(cst, context), range, ...doc };
  }
}

function buildEdition(cst: CstNode, context: Context): Declaration {
  const number = token(cst, 'Number');
  if (number.image !== '1') context.diagnostics.push(diagnostic('TPS1008', tokenRange(number, context.file), { found: number.image }));
  return { kind: 'edition', edition: Number(number.image), range: rangeOf(cst, context) };
}

function buildImport(cst: CstNode, context: Context): Pick<ImportDecl, 'kind' | 'source' | 'names'> {
  const source = node(cst, 'importSource');
  const file = optionalToken(source, 'String');
  const text = file === undefined ? [token(source, 'Ident'), ...tokens(source, 'Word')].map((w) => w.image).join('.') : unquote(file.image);
  const names = nodes(cst, 'importName').map((n) => {
    const as = tokens(n, 'Ident')[1];
    return { name: identifier(token(n, 'Ident'), context), ...(as === undefined ? {} : { as: identifier(as, context) }) };
  });
  if (names.length === 0) throw new Incomplete('an import names nothing');
  return { kind: 'import', source: { kind: file === undefined ? 'module' : 'file', text, range: rangeOf(source, context) }, names };
}

function buildTasks(cst: CstNode, context: Context): Pick<TasksDecl, 'rows' | 'damaged'> {
  const damaged: string[] = [];
  const rows: TasksDecl['rows'][number][] = [];
  for (const item of nodes(cst, 'taskItem')) {
    const [code, label] = [optionalToken(item, 'Ident'), optionalToken(item, 'String')];
    if (code === undefined || label === undefined) {
      damaged.push(...namesIn(extentOfItem(item, context), context));
      continue;
    }
    const record = optionalNode(item, 'record');
    const whole = record !== undefined && record.recoveredNode !== true ? buildRecord(record, context) : undefined;
    const from = tokenRange(code, context.file);
    rows.push({
      code: identifier(code, context), label: unquote(label.image), range: spanning(from, whole?.range ?? tokenRange(label, context.file)),
      ...(whole === undefined ? {} : { record: whole }),
    });
  }
  return { rows, ...(damaged.length === 0 ? {} : { damaged }) };
}

function buildBlock(head: CstNode, body: CstNode, context: Context): Omit<BlockDecl, 'range'> {
  const lists = nodes(head, 'params');
  const { inputs, config, ...rest } = headOf(head, lists, context);
  return { kind: 'block', ...rest, ...(config === undefined ? {} : { config }), inputs, body: buildBody(body, context) };
}

/** Name, lists of parameters, result, `with` and `where` of a block or model. */
function headOf(head: CstNode, lists: readonly CstNode[], context: Context) {
  const parameters = lists.map((list) => nodes(list, 'parameter').map((p) => buildParameter(p, context)));
  const inputs = parameters[parameters.length - 1];
  if (inputs === undefined) throw new Incomplete('a head has no parameters');
  const signature = node(head, 'signature');
  return {
    name: identifier(token(head, 'Ident'), context), inputs, config: parameters.length > 1 ? parameters[0] : undefined,
    result: buildType(node(signature, 'type'), context),
    withs: nodes(signature, 'withClause').map((w): { readonly name: Identifier; readonly value: Expr } =>
      ({ name: identifier(token(w, 'Ident'), context), value: buildExpr(node(w, 'expr'), context) })),
    where: wheres(signature, context),
  };
}

const wheres = (cst: CstNode, context: Context): readonly Expr[] =>
  nodes(cst, 'whereClause').map((w) => buildExpr(node(w, 'expr'), context));

function buildParameter(cst: CstNode, context: Context): Parameter {
  const value = optionalNode(cst, 'expr');
  return {
    name: identifier(token(cst, 'Ident'), context), type: buildType(node(cst, 'type'), context), range: rangeOf(cst, context),
    ...(value === undefined ? {} : { value: buildExpr(value, context) }),
  };
}

function nameOf(cst: CstNode, context: Context): { readonly name: Identifier; readonly label?: string; readonly of: Identifier } {
  const label = optionalToken(cst, 'String');
  return {
    name: identifier(token(cst, 'Ident'), context), of: identifier(token(cst, 'Ident', 1), context),
    ...(label === undefined ? {} : { label: unquote(label.image) }),
  };
}

function buildVariant(cst: CstNode, context: Context): Omit<VariantDecl, 'range'> {
  const edits = nodes(cst, 'editItem').map((item) => {
    const damage = context.damage.get(item);
    const failed = (): Edit => errorItem(extentOfItem(item, context), context);
    return attempt<Edit>(() => {
      const alias = optionalToken(item, 'Alias');
      if (alias !== undefined && damage === undefined) return { kind: 'alias', range: tokenRange(alias, context.file) };
      const inner = onlyNode(item);
      return inner === undefined ? failed() : buildEdit(inner, damage, context);
    }, failed);
  });
  return { kind: 'variant', ...nameOf(node(node(cst, 'variantHead'), 'nameOf'), context), edits };
}

function buildEdit(cst: CstNode, damage: Damage | undefined, context: Context): Edit {
  const range = damage === undefined ? rangeOf(cst, context) : rangeOfTokens(damage, context);
  switch (cst.name) {
    case 'setEdit': case 'replaceEdit': {
      token(cst, cst.name === 'setEdit' ? 'Equals' : 'With');
      const value = damage === undefined ? buildExpr(node(cst, 'expr'), context) : errorExpr(damage, context);
      return { kind: cst.name === 'setEdit' ? 'set' : 'replace', path: buildPath(node(cst, 'path'), context), value, range };
    }
    case 'insertEdit': {
      const stmt = optionalNode(cst, 'stmt');
      if (stmt === undefined) throw new Incomplete('nothing is inserted');
      const statement = buildStmt(stmt, damage, () => damage ?? { from: 0, to: 0 }, context);
      return statement.kind === 'error' ? statement : { kind: 'insert', statement, range };
    }
    default:
      if (damage !== undefined) throw new Incomplete('a path is damaged');
      return { kind: 'remove', path: buildPath(node(cst, 'path'), context), range };
  }
}

function buildWeights(cst: CstNode, context: Context): Omit<WeightsDecl, 'range'> {
  const head = node(cst, 'weightsHead');
  const damaged: string[] = [];
  const rows: WeightsDecl['rows'][number][] = [];
  for (const item of nodes(cst, 'weightItem')) {
    const pattern = optionalToken(item, 'String');
    const path = optionalNode(item, 'path');
    if (context.damage.has(item) || pattern === undefined || path === undefined) {
      damaged.push(...namesIn(extentOfItem(item, context), context));
      continue;
    }
    const transform = optionalNode(item, 'expr');
    const built = buildPath(path, context);
    const expr = transform === undefined ? undefined : buildExpr(transform, context);
    rows.push({
      pattern: unquote(pattern.image), path: built, range: spanning(tokenRange(pattern, context.file), expr?.range ?? built.range),
      ...(expr === undefined ? {} : { transform: expr }),
    });
  }
  return {
    kind: 'weights', name: identifier(token(head, 'Ident'), context), of: identifier(token(head, 'Ident', 1), context), rows,
    ...(damaged.length === 0 ? {} : { damaged }),
  };
}
