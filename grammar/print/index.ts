// Tree to text. `format` keeps comments and blank lines of the source; the others print a tree alone.
import type { Declaration, Expr, SourceFile, Stmt } from '../ast.js';
import { declarationDoc, fileDoc } from './declarations.js';
import { hardline, render, type Doc } from './doc.js';
import { exprDoc, Unprintable } from './expressions.js';
import { stmtDoc } from './statements.js';
import { noTrivia, triviaOf } from './trivia.js';

/** Characters a line; comments at a line's end are not counted. */
const width = 120;

/** The file as the formatter writes it. A file that did not parse whole is given back as it is. */
export function format(file: SourceFile): string {
  try {
    const text = render(fileDoc(file, triviaOf(file)), width);
    return text === '' ? '' : `${text}\n`;
  } catch (error) {
    if (error instanceof Unprintable) return file.text;
    throw error;
  }
}

/** An expression on one line; what did not parse prints as `?`. */
export function printExpr(expr: Expr): string {
  try {
    return render(exprDoc(expr, noTrivia), Infinity);
  } catch (error) {
    if (error instanceof Unprintable) return '?';
    throw error;
  }
}

/** A statement, on one line where it has no body; what did not parse prints as `?`. */
export function printStatement(stmt: Stmt): string {
  try {
    return render(stmtDoc(stmt, noTrivia), Infinity);
  } catch (error) {
    if (error instanceof Unprintable) return '?';
    throw error;
  }
}

/** A declaration with its documentation, as `format` would lay it out, without comments. One that did not parse prints as nothing. */
export function printDeclaration(decl: Declaration): string {
  const docs: Doc[] = decl.kind === 'error' || decl.kind === 'edition' || decl.doc === undefined ? []
    : decl.doc.split('\n').flatMap((text) => [text === '' ? '///' : `/// ${text}`, hardline]);
  try {
    return render([...docs, declarationDoc(decl, noTrivia)], width);
  } catch (error) {
    if (error instanceof Unprintable) return '';
    throw error;
  }
}
