// The rules of statements and of entries: what stands in bodies. Declarations are above it, expressions below.
import * as t from '../text/tokens.js';
import { ExpressionParser } from './expressions.js';

const kw = t.kw;

export abstract class StatementParser extends ExpressionParser {
  protected body = this.RULE('body', () => {
    this.CONSUME(t.BodyOpen);
    this.MANY(() => this.SUBRULE(this.stmtItem));
    this.CONSUME(t.RCurly);
  });

  protected stmtItem = this.item('stmtItem', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.stmt) },
      { ALT: () => {
        this.SUBRULE(this.junkStatement);
        this.SUBRULE(this.body);
        this.OPTION(() => {
          this.CONSUME(kw('else'));
          this.SUBRULE(this.elseBranch);
        });
      } },
    ]);
    this.CONSUME(t.Newline);
  });

  protected junkStatement = this.head('junkStatement', ['statements'], () => {
    this.refuse(this.CONSUME(t.NoStatement));
  });

  protected stmt = this.RULE('stmt', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.letStmt) },
      { ALT: () => this.SUBRULE(this.layerStmt) },
      { ALT: () => this.SUBRULE(this.paramStmt) },
      { ALT: () => this.SUBRULE(this.bindStmt) },
      { ALT: () => this.SUBRULE(this.returnStmt) },
      { ALT: () => this.SUBRULE(this.forStmt) },
      { ALT: () => this.SUBRULE(this.ifStmt) },
      { ALT: () => this.SUBRULE(this.codecStmt) },
      { ALT: () => this.SUBRULE(this.adapterStmt) },
      { ALT: () => this.SUBRULE(this.gateStmt) },
      { ALT: () => this.SUBRULE(this.stateStmt) },
    ]);
  });

  protected letStmt = this.RULE('letStmt', () => {
    this.CONSUME(kw('let'));
    this.OR([
      { ALT: () => this.CONSUME(t.Ident) },
      { ALT: () => this.SUBRULE(this.pattern) },
    ]);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expr);
  });

  protected pattern = this.RULE('pattern', () => {
    this.CONSUME(t.LSquare);
    this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.patternName) });
    this.CONSUME(t.RSquare);
  });

  protected patternName = this.RULE('patternName', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Ident) },
      { ALT: () => this.CONSUME(t.Underscore) },
    ]);
  });

  protected layerStmt = this.RULE('layerStmt', () => {
    this.CONSUME(kw('layer'));
    this.SUBRULE(this.target);
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE(this.type);
    });
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expr);
  });

  protected target = this.RULE('target', () => {
    this.CONSUME(t.Ident);
    this.OPTION(() => {
      this.CONSUME(t.LSquare);
      this.SUBRULE(this.expr);
      this.CONSUME(t.RSquare);
    });
  });

  protected paramStmt = this.RULE('paramStmt', () => {
    this.CONSUME(kw('param'));
    this.CONSUME(t.Ident);
    this.CONSUME(t.Colon);
    this.SUBRULE(this.type);
    this.CONSUME(kw('init'));
    this.SUBRULE(this.expr);
  });

  /** `carry`, `next` and `emit`. */
  protected bindStmt = this.RULE('bindStmt', () => {
    this.OR([
      { ALT: () => this.CONSUME(kw('carry')) },
      { ALT: () => this.CONSUME(kw('next')) },
      { ALT: () => this.CONSUME(kw('emit')) },
    ]);
    this.CONSUME(t.Ident);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expr);
  });

  protected returnStmt = this.RULE('returnStmt', () => {
    this.CONSUME(kw('return'));
    this.SUBRULE(this.expr);
  });

  protected forStmt = this.RULE('forStmt', () => {
    this.SUBRULE(this.forHead);
    this.SUBRULE(this.body);
  });

  protected forHead = this.head('forHead', ['statements'], () => {
    this.CONSUME(kw('for'));
    this.CONSUME(t.Ident);
    this.CONSUME(kw('in'));
    this.SUBRULE(this.expr);
  });

  protected ifStmt = this.RULE('ifStmt', () => {
    this.SUBRULE(this.ifHead);
    this.SUBRULE(this.body);
    this.OPTION(() => {
      this.CONSUME(kw('else'));
      this.SUBRULE(this.elseBranch);
    });
  });

  protected elseBranch = this.RULE('elseBranch', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.ifStmt) },
      { ALT: () => this.SUBRULE(this.body) },
    ]);
  });

  protected ifHead = this.head('ifHead', ['statements'], () => {
    this.CONSUME(kw('if'));
    this.SUBRULE(this.expr);
  });

  /** `encoder` and `decoder`. */
  protected codecStmt = this.RULE('codecStmt', () => {
    this.OR([
      { ALT: () => this.CONSUME(kw('encoder')) },
      { ALT: () => this.CONSUME(kw('decoder')) },
    ]);
    this.SUBRULE(this.target);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expr);
    this.OPTION(() => {
      this.CONSUME(kw('with'));
      this.SUBRULE(this.record);
    });
  });

  protected adapterStmt = this.RULE('adapterStmt', () => {
    this.CONSUME(kw('adapter'));
    this.CONSUME(t.Ident);
    this.OPTION(() => this.SUBRULE(this.perClause));
    this.OR([
      { ALT: () => this.CONSUME(kw('before')) },
      { ALT: () => this.CONSUME(kw('after')) },
      { ALT: () => this.CONSUME(kw('beside')) },
    ]);
    this.SUBRULE(this.path);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expr);
  });

  protected gateStmt = this.RULE('gateStmt', () => {
    this.CONSUME(kw('gate'));
    this.CONSUME(t.Ident);
    this.OPTION(() => this.SUBRULE(this.perClause));
    this.CONSUME(kw('over'));
    this.SUBRULE(this.path);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expr);
  });

  protected stateStmt = this.RULE('stateStmt', () => {
    this.SUBRULE(this.stateHead);
    this.SUBRULE(this.entries);
  });

  protected stateHead = this.head('stateHead', ['entries'], () => {
    this.OR([
      { ALT: () => this.CONSUME(kw('prototypes')) },
      { ALT: () => this.CONSUME(kw('state')) },
    ]);
    this.CONSUME(t.Ident);
    this.OPTION(() => this.SUBRULE(this.perClause));
    this.CONSUME(t.Colon);
    this.SUBRULE(this.type);
  });

  // ---------------------------------------------------------------- entries

  protected entries = this.RULE('entries', () => {
    this.CONSUME(t.BodyOpen);
    this.MANY(() => this.SUBRULE(this.entryItem));
    this.CONSUME(t.RCurly);
  });

  protected entryItem = this.item('entryItem', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.entry) },
      { ALT: () => this.refuse(this.CONSUME(t.NoEntry)) },
    ]);
    this.SUBRULE(this.separator);
  });

  protected entry = this.RULE('entry', () => {
    this.CONSUME(t.Word);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expr);
  });
}
