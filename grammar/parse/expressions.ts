// The rules of types, expressions and paths: the lowest layer of the grammar, which knows no statement.
import * as t from '../text/tokens.js';
import { RecoveringParser } from './recovery.js';

const kw = t.kw;

export abstract class ExpressionParser extends RecoveringParser {
  // ---------------------------------------------------------------- types

  protected type = this.RULE('type', () => {
    this.OR([
      { ALT: () => {
        this.CONSUME(t.Ident);
        this.OPTION(() => this.OR2([
          { ALT: () => this.SUBRULE(this.shape) },
          { ALT: () => {
            this.CONSUME(kw('of'));
            this.CONSUME2(t.Ident);
          } },
        ]));
      } },
      { ALT: () => {
        this.CONSUME(t.LSquare);
        this.SUBRULE(this.type);
        this.CONSUME(t.RSquare);
      } },
      { ALT: () => {
        this.CONSUME(t.LCurly);
        this.MANY(() => this.SUBRULE(this.typeField));
        this.CONSUME(t.RCurly);
      } },
    ]);
  });

  protected typeField = this.RULE('typeField', () => {
    this.CONSUME(t.Word);
    this.CONSUME(t.Colon);
    this.SUBRULE(this.type);
    this.SUBRULE(this.separator);
  });

  protected shape = this.RULE('shape', () => {
    this.CONSUME(t.LSquare);
    this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.dim) });
    this.CONSUME(t.RSquare);
  });

  protected dim = this.RULE('dim', () => {
    this.OR([
      { ALT: () => {
        this.CONSUME(t.DotDot);
        this.OPTION(() => this.CONSUME(t.Ident));
      } },
      { ALT: () => this.CONSUME(t.Underscore) },
      { ALT: () => this.SUBRULE(this.expr) },
    ]);
  });

  // ---------------------------------------------------------------- expressions

  /** Operators stay a flat list: their precedence is a table in build/operators.ts. */
  protected expr = this.RULE('expr', () => {
    this.OR([
      { ALT: () => {
        this.CONSUME(kw('if'));
        this.SUBRULE(this.expr);
        this.CONSUME(kw('then'));
        this.SUBRULE2(this.expr);
        this.CONSUME(kw('else'));
        this.SUBRULE3(this.expr);
      } },
      { ALT: () => {
        this.SUBRULE(this.unary);
        this.MANY(() => {
          this.CONSUME(t.BinaryOp);
          this.SUBRULE2(this.unary);
        });
      } },
    ]);
  });

  protected unary = this.RULE('unary', () => {
    this.OR([
      { ALT: () => {
        this.CONSUME(t.Minus);
        this.SUBRULE(this.unary);
      } },
      { ALT: () => {
        this.CONSUME(kw('not'));
        this.SUBRULE2(this.unary);
      } },
      { ALT: () => {
        this.SUBRULE(this.perClause);
        this.OR2([
          { ALT: () => this.SUBRULE(this.paramExpr) },
          { ALT: () => this.SUBRULE(this.postfix) },
        ]);
      } },
      { ALT: () => this.SUBRULE2(this.paramExpr) },
      { ALT: () => this.SUBRULE2(this.postfix) },
    ]);
  });

  protected perClause = this.RULE('perClause', () => {
    this.CONSUME(kw('per'));
    this.CONSUME(t.Ident);
  });

  protected paramExpr = this.RULE('paramExpr', () => {
    this.CONSUME(kw('param'));
    this.SUBRULE(this.type);
    this.CONSUME(kw('init'));
    this.SUBRULE(this.postfix);
  });

  protected postfix = this.RULE('postfix', () => {
    this.SUBRULE(this.primary);
    this.MANY(() => this.SUBRULE(this.suffix));
  });

  protected suffix = this.RULE('suffix', () => {
    this.OR([
      { ALT: () => {
        this.CONSUME(t.Dot);
        this.CONSUME(t.Word);
      } },
      { ALT: () => {
        this.CONSUME(t.LParen);
        this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.argument) });
        this.CONSUME(t.RParen);
      } },
      { ALT: () => {
        this.CONSUME(t.LSquare);
        this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.subscript) });
        this.CONSUME(t.RSquare);
      } },
    ]);
  });

  protected argument = this.RULE('argument', () => {
    this.OPTION(() => {
      this.CONSUME(t.Word);
      this.CONSUME(t.Colon);
    });
    this.SUBRULE(this.element);
  });

  protected element = this.RULE('element', () => {
    this.SUBRULE(this.expr);
    this.OPTION(() => {
      this.CONSUME(kw('for'));
      this.CONSUME(t.Ident);
      this.CONSUME(kw('in'));
      this.SUBRULE2(this.expr);
      this.OPTION2(() => {
        this.CONSUME(kw('if'));
        this.SUBRULE3(this.expr);
      });
    });
  });

  protected subscript = this.RULE('subscript', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.DotDot) },
      { ALT: () => this.CONSUME(t.Star) },
      { ALT: () => {
        this.CONSUME(t.Colon);
        this.OPTION(() => this.SUBRULE(this.to));
      } },
      { ALT: () => {
        this.SUBRULE(this.expr);
        this.OPTION2(() => {
          this.CONSUME2(t.Colon);
          this.OPTION3(() => this.SUBRULE2(this.to));
        });
      } },
    ]);
  });

  protected to = this.RULE('to', () => {
    this.SUBRULE(this.expr);
  });

  protected primary = this.RULE('primary', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Ident) },
      { ALT: () => this.CONSUME(t.NumberToken) },
      { ALT: () => this.CONSUME(t.StringToken) },
      { ALT: () => this.CONSUME(kw('true')) },
      { ALT: () => this.CONSUME(kw('false')) },
      { ALT: () => {
        this.CONSUME(t.LParen);
        this.SUBRULE(this.expr);
        this.CONSUME(t.RParen);
      } },
      { ALT: () => {
        this.CONSUME(t.LSquare);
        this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.element) });
        this.CONSUME(t.RSquare);
      } },
      { ALT: () => this.SUBRULE(this.record) },
    ]);
  });

  protected record = this.RULE('record', () => {
    this.CONSUME(t.LCurly);
    this.MANY(() => this.SUBRULE(this.recordField));
    this.CONSUME(t.RCurly);
  });

  protected recordField = this.RULE('recordField', () => {
    this.CONSUME(t.Word);
    this.CONSUME(t.Colon);
    this.SUBRULE(this.expr);
    this.SUBRULE(this.separator);
  });

  // ---------------------------------------------------------------- paths and separators

  protected separator = this.RULE('separator', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Newline) },
      { ALT: () => this.CONSUME(t.Comma) },
    ]);
  });

  protected path = this.RULE('path', () => {
    this.CONSUME(t.Ident);
    this.MANY(() => this.SUBRULE(this.pathStep));
  });

  protected pathStep = this.RULE('pathStep', () => {
    this.OR([
      { ALT: () => {
        this.CONSUME(t.Dot);
        this.CONSUME(t.Word);
      } },
      { ALT: () => {
        this.CONSUME(t.LSquare);
        this.OR2([
          { ALT: () => this.CONSUME(t.Star) },
          { ALT: () => this.SUBRULE(this.expr) },
        ]);
        this.OPTION(() => {
          this.CONSUME(kw('as'));
          this.CONSUME(t.Ident);
        });
        this.CONSUME(t.RSquare);
      } },
    ]);
  });
}
