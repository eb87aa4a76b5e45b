// What was expected, in plain words. Chevrotain asks for a message where it raises an error; here the message is only the phrase
// that fills `{expected}` of TPS1001, or the kind of item that junk cannot begin (TPS1003).
import { tokenLabel, type IParserErrorMessageProvider, type IToken, type TokenType } from 'chevrotain';
import * as t from '../text/tokens.js';

const named = new Map<TokenType, string>([
  [t.Ident, 'a name'], [t.Name, 'a name'], [t.Word, 'a name'], [t.NumberToken, 'a number'], [t.StringToken, 'a string'],
  [t.Newline, 'the end of the line'], [t.BinaryOp, 'an operator'],
]);

const expectedToken = (type: TokenType): string =>
  named.get(type) ?? (typeof type.PATTERN === 'string' ? `\`${type.PATTERN}\`` : type.name === 'EOF' ? 'the end of the file' : tokenLabel(type));

/** A token as it was found. */
export const foundToken = (token: IToken): string =>
  token.tokenType === t.Newline && token.image === '' ? 'the end of the line' : token.tokenType.name === 'EOF' ? 'the end of the file' : `\`${token.image}\``;

/** What a rule reads, where its alternatives are too many to list. */
const ruleNouns: Readonly<Record<string, string>> = {
  expr: 'a value', primary: 'a value', unary: 'a value', paramPostfix: 'a value', type: 'a type', dim: 'a dimension',
  importDecl: 'a name', importSource: 'a module or a file in quotes', letStmt: 'a name or `[`', adapterStmt: '`before`, `after` or `beside`',
  subscript: 'an index', edit: 'an edit', stmtItem: 'a statement', insertable: 'a statement', declItem: 'a declaration',
};

/** Items, as junk at their start is told. */
const itemNouns: Readonly<Record<string, string>> = {
  junkDeclaration: 'a declaration', junkStatement: 'a statement', editItem: 'an edit', entryItem: 'an entry', taskItem: 'a task', weightItem: 'a weight rule',
};

/** Rules whose closing bracket may as well be a comma. */
const commaLists: ReadonlySet<string> = new Set(['params', 'suffix', 'shape', 'pattern', 'primary']);

function anyOf(words: readonly string[]): string {
  const unique = [...new Set(words)];
  const last = unique.pop() ?? 'something else';
  return unique.length === 0 ? last : `${unique.join(', ')} or ${last}`;
}

function first(paths: readonly (readonly TokenType[])[]): string {
  return anyOf(paths.flatMap((path) => (path[0] === undefined ? [] : [expectedToken(path[0])])));
}

export const itemNoun = (rule: string): string => itemNouns[rule] ?? 'an item';

export const plainWords: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected, ruleName }) =>
    (commaLists.has(ruleName) && (expected === t.RParen || expected === t.RSquare) ? `\`,\` or ${expectedToken(expected)}` : expectedToken(expected)),
  buildNotAllInputParsedMessage: () => 'the end of the file',
  buildNoViableAltMessage: ({ expectedPathsPerAlt, ruleName }) =>
    ruleNouns[ruleName] ?? first((expectedPathsPerAlt as unknown as readonly TokenType[][][]).flat()),
  buildEarlyExitMessage: ({ expectedIterationPaths, ruleName }) =>
    ruleNouns[ruleName] ?? first(expectedIterationPaths as unknown as readonly TokenType[][]),
};
