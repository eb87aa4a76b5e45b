// The grammar of edition 1 as chevrotain rules, LL(2), without actions: tokens to a concrete tree. The tree's reading is in build/.
// Rules made by `item` own their separator; rules made by `head` stand before a body (recovery.ts).
import { EOF, type CstNode, type IToken } from 'chevrotain';
import * as t from '../text/tokens.js';
import { RecoveringParser } from './recovery.js';

const kw = t.kw;

export class TpsParser extends RecoveringParser {
  constructor() {
    super();
    this.performSelfAnalysis();
  }

  parse(tokens: IToken[]): CstNode {
    this.begin(tokens);
    return this.file();
  }

  private file = this.RULE('file', () => {
    this.MANY(() => this.SUBRULE(this.declItem));
    this.CONSUME(EOF);
  });

  // ---------------------------------------------------------------- declarations

  private declItem = this.item('declItem', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.editionDecl) },
      { ALT: () => this.SUBRULE(this.importDecl) },
      { ALT: () => this.SUBRULE(this.dimDecl) },
      { ALT: () => this.SUBRULE(this.settingDecl) },
      { ALT: () => this.SUBRULE(this.tasksDecl) },
      { ALT: () => this.SUBRULE(this.blockDecl) },
      { ALT: () => this.SUBRULE(this.modelDecl) },
      { ALT: () => this.SUBRULE(this.entriesDecl) },
      { ALT: () => this.SUBRULE(this.variantDecl) },
      { ALT: () => this.SUBRULE(this.weightsDecl) },
      { ALT: () => {
        this.SUBRULE(this.junkDeclaration);
        this.SUBRULE(this.body);
      } },
    ]);
    this.CONSUME(t.Newline);
  });

  /** What stands where a declaration's keyword is due; if a body follows, its statements are read all the same. */
  private junkDeclaration = this.head('junkDeclaration', ['statements'], () => {
    this.refuse(this.CONSUME(t.NoDeclaration));
  });

  private editionDecl = this.RULE('editionDecl', () => {
    this.CONSUME(kw('edition'));
    this.CONSUME(t.NumberToken);
  });

  private importDecl = this.RULE('importDecl', () => {
    this.CONSUME(kw('from'));
    this.SUBRULE(this.importSource);
    this.CONSUME(kw('import'));
    this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.importName) });
  });

  private importSource = this.RULE('importSource', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.StringToken) },
      { ALT: () => {
        this.CONSUME(t.Ident);
        this.MANY(() => {
          this.CONSUME(t.Dot);
          this.CONSUME(t.Word);
        });
      } },
    ]);
  });

  private importName = this.RULE('importName', () => {
    this.CONSUME(t.Ident);
    this.OPTION(() => {
      this.CONSUME(kw('as'));
      this.CONSUME2(t.Ident);
    });
  });

  private dimDecl = this.RULE('dimDecl', () => {
    this.CONSUME(kw('dim'));
    this.CONSUME(t.Ident);
  });

  private settingDecl = this.RULE('settingDecl', () => {
    this.CONSUME(kw('setting'));
    this.CONSUME(t.Ident);
    this.CONSUME(t.Colon);
    this.SUBRULE(this.type);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expr);
    this.MANY(() => this.SUBRULE(this.whereClause));
  });

  private tasksDecl = this.RULE('tasksDecl', () => {
    this.SUBRULE(this.tasksHead);
    this.CONSUME(t.BodyOpen);
    this.MANY(() => this.SUBRULE(this.taskItem));
    this.CONSUME(t.RCurly);
  });

  private tasksHead = this.head('tasksHead', ['rows'], () => {
    this.CONSUME(kw('tasks'));
    this.CONSUME(t.Ident);
  });

  private taskItem = this.item('taskItem', () => {
    this.OR([
      { ALT: () => {
        this.CONSUME(t.Ident);
        this.CONSUME(t.StringToken);
        this.OPTION(() => this.SUBRULE(this.record));
      } },
      { ALT: () => this.refuse(this.CONSUME(t.NoTask)) },
    ]);
    this.SUBRULE(this.separator);
  });

  private blockDecl = this.RULE('blockDecl', () => {
    this.SUBRULE(this.blockHead);
    this.SUBRULE(this.body);
  });

  private blockHead = this.head('blockHead', ['statements'], () => {
    this.CONSUME(kw('block'));
    this.CONSUME(t.Ident);
    this.SUBRULE(this.params);
    this.OPTION(() => this.SUBRULE2(this.params));
    this.SUBRULE(this.signature);
  });

  private modelDecl = this.RULE('modelDecl', () => {
    this.SUBRULE(this.modelHead);
    this.SUBRULE(this.body);
  });

  private modelHead = this.head('modelHead', ['statements'], () => {
    this.CONSUME(kw('model'));
    this.CONSUME(t.Ident);
    this.SUBRULE(this.params);
    this.SUBRULE(this.signature);
  });

  private params = this.RULE('params', () => {
    this.CONSUME(t.LParen);
    this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.parameter) });
    this.CONSUME(t.RParen);
  });

  private parameter = this.RULE('parameter', () => {
    this.CONSUME(t.Ident);
    this.CONSUME(t.Colon);
    this.SUBRULE(this.type);
    this.OPTION(() => {
      this.CONSUME(t.Equals);
      this.SUBRULE(this.expr);
    });
  });

  private signature = this.RULE('signature', () => {
    this.CONSUME(t.Arrow);
    this.SUBRULE(this.type);
    this.MANY(() => this.OR([
      { ALT: () => this.SUBRULE(this.withClause) },
      { ALT: () => this.SUBRULE(this.whereClause) },
    ]));
  });

  private withClause = this.RULE('withClause', () => {
    this.CONSUME(kw('with'));
    this.CONSUME(t.Ident);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expr);
  });

  private whereClause = this.RULE('whereClause', () => {
    this.CONSUME(kw('where'));
    this.SUBRULE(this.expr);
  });

  /** `train`, `study` and `dataset`. */
  private entriesDecl = this.RULE('entriesDecl', () => {
    this.SUBRULE(this.entriesHead);
    this.SUBRULE(this.entries);
  });

  private entriesHead = this.head('entriesHead', ['entries'], () => {
    this.OR([
      { ALT: () => this.CONSUME(kw('train')) },
      { ALT: () => this.CONSUME(kw('study')) },
      { ALT: () => this.CONSUME(kw('dataset')) },
    ]);
    this.SUBRULE(this.nameOf);
  });

  private nameOf = this.RULE('nameOf', () => {
    this.CONSUME(t.Ident);
    this.OPTION(() => this.CONSUME(t.StringToken));
    this.CONSUME(kw('of'));
    this.CONSUME2(t.Ident);
  });

  private entries = this.RULE('entries', () => {
    this.CONSUME(t.BodyOpen);
    this.MANY(() => this.SUBRULE(this.entryItem));
    this.CONSUME(t.RCurly);
  });

  private entryItem = this.item('entryItem', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.entry) },
      { ALT: () => this.refuse(this.CONSUME(t.NoEntry)) },
    ]);
    this.SUBRULE(this.separator);
  });

  private entry = this.RULE('entry', () => {
    this.CONSUME(t.Word);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expr);
  });

  private variantDecl = this.RULE('variantDecl', () => {
    this.SUBRULE(this.variantHead);
    this.CONSUME(t.BodyOpen);
    this.MANY(() => this.SUBRULE(this.editItem));
    this.CONSUME(t.RCurly);
  });

  private variantHead = this.head('variantHead', ['edits'], () => {
    this.CONSUME(kw('variant'));
    this.SUBRULE(this.nameOf);
  });

  private editItem = this.item('editItem', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.removeEdit) },
      { ALT: () => this.SUBRULE(this.setEdit) },
      { ALT: () => this.SUBRULE(this.replaceEdit) },
      { ALT: () => this.SUBRULE(this.insertEdit) },
      { ALT: () => this.CONSUME(kw('alias')) },
      { ALT: () => this.refuse(this.CONSUME(t.NoEdit)) },
    ]);
    this.SUBRULE(this.separator);
  });

  private removeEdit = this.RULE('removeEdit', () => {
    this.CONSUME(kw('remove'));
    this.SUBRULE(this.path);
  });

  private setEdit = this.RULE('setEdit', () => {
    this.CONSUME(kw('set'));
    this.SUBRULE(this.path);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expr);
  });

  private replaceEdit = this.RULE('replaceEdit', () => {
    this.CONSUME(kw('replace'));
    this.SUBRULE(this.path);
    this.CONSUME(kw('with'));
    this.SUBRULE(this.expr);
  });

  private insertEdit = this.RULE('insertEdit', () => {
    this.CONSUME(kw('insert'));
    this.SUBRULE(this.stmt);
  });

  private weightsDecl = this.RULE('weightsDecl', () => {
    this.SUBRULE(this.weightsHead);
    this.CONSUME(t.BodyOpen);
    this.MANY(() => this.SUBRULE(this.weightItem));
    this.CONSUME(t.RCurly);
  });

  private weightsHead = this.head('weightsHead', ['rows'], () => {
    this.CONSUME(kw('weights'));
    this.CONSUME(t.Ident);
    this.CONSUME(kw('of'));
    this.CONSUME2(t.Ident);
  });

  private weightItem = this.item('weightItem', () => {
    this.OR([
      { ALT: () => {
        this.CONSUME(t.StringToken);
        this.CONSUME(t.Arrow);
        this.SUBRULE(this.path);
        this.OPTION(() => {
          this.CONSUME(t.Pipe);
          this.SUBRULE(this.expr);
        });
      } },
      { ALT: () => this.refuse(this.CONSUME(t.NoWeight)) },
    ]);
    this.SUBRULE(this.separator);
  });

  private separator = this.RULE('separator', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Newline) },
      { ALT: () => this.CONSUME(t.Comma) },
    ]);
  });

  private path = this.RULE('path', () => {
    this.CONSUME(t.Ident);
    this.MANY(() => this.SUBRULE(this.pathStep));
  });

  private pathStep = this.RULE('pathStep', () => {
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

  // ---------------------------------------------------------------- statements

  private body = this.RULE('body', () => {
    this.CONSUME(t.BodyOpen);
    this.MANY(() => this.SUBRULE(this.stmtItem));
    this.CONSUME(t.RCurly);
  });

  private stmtItem = this.item('stmtItem', () => {
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

  private junkStatement = this.head('junkStatement', ['statements'], () => {
    this.refuse(this.CONSUME(t.NoStatement));
  });

  private stmt = this.RULE('stmt', () => {
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

  private letStmt = this.RULE('letStmt', () => {
    this.CONSUME(kw('let'));
    this.OR([
      { ALT: () => this.CONSUME(t.Ident) },
      { ALT: () => this.SUBRULE(this.pattern) },
    ]);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expr);
  });

  private pattern = this.RULE('pattern', () => {
    this.CONSUME(t.LSquare);
    this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.patternName) });
    this.CONSUME(t.RSquare);
  });

  private patternName = this.RULE('patternName', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Ident) },
      { ALT: () => this.CONSUME(t.Underscore) },
    ]);
  });

  private layerStmt = this.RULE('layerStmt', () => {
    this.CONSUME(kw('layer'));
    this.SUBRULE(this.target);
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE(this.type);
    });
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expr);
  });

  private target = this.RULE('target', () => {
    this.CONSUME(t.Ident);
    this.OPTION(() => {
      this.CONSUME(t.LSquare);
      this.SUBRULE(this.expr);
      this.CONSUME(t.RSquare);
    });
  });

  private paramStmt = this.RULE('paramStmt', () => {
    this.CONSUME(kw('param'));
    this.CONSUME(t.Ident);
    this.CONSUME(t.Colon);
    this.SUBRULE(this.type);
    this.CONSUME(kw('init'));
    this.SUBRULE(this.expr);
  });

  /** `carry`, `next` and `emit`. */
  private bindStmt = this.RULE('bindStmt', () => {
    this.OR([
      { ALT: () => this.CONSUME(kw('carry')) },
      { ALT: () => this.CONSUME(kw('next')) },
      { ALT: () => this.CONSUME(kw('emit')) },
    ]);
    this.CONSUME(t.Ident);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expr);
  });

  private returnStmt = this.RULE('returnStmt', () => {
    this.CONSUME(kw('return'));
    this.SUBRULE(this.expr);
  });

  private forStmt = this.RULE('forStmt', () => {
    this.SUBRULE(this.forHead);
    this.SUBRULE(this.body);
  });

  private forHead = this.head('forHead', ['statements'], () => {
    this.CONSUME(kw('for'));
    this.CONSUME(t.Ident);
    this.CONSUME(kw('in'));
    this.SUBRULE(this.expr);
  });

  private ifStmt = this.RULE('ifStmt', () => {
    this.SUBRULE(this.ifHead);
    this.SUBRULE(this.body);
    this.OPTION(() => {
      this.CONSUME(kw('else'));
      this.SUBRULE(this.elseBranch);
    });
  });

  private elseBranch = this.RULE('elseBranch', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.ifStmt) },
      { ALT: () => this.SUBRULE(this.body) },
    ]);
  });

  private ifHead = this.head('ifHead', ['statements'], () => {
    this.CONSUME(kw('if'));
    this.SUBRULE(this.expr);
  });

  /** `encoder` and `decoder`. */
  private codecStmt = this.RULE('codecStmt', () => {
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

  private adapterStmt = this.RULE('adapterStmt', () => {
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

  private gateStmt = this.RULE('gateStmt', () => {
    this.CONSUME(kw('gate'));
    this.CONSUME(t.Ident);
    this.OPTION(() => this.SUBRULE(this.perClause));
    this.CONSUME(kw('over'));
    this.SUBRULE(this.path);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expr);
  });

  private stateStmt = this.RULE('stateStmt', () => {
    this.SUBRULE(this.stateHead);
    this.SUBRULE(this.entries);
  });

  private stateHead = this.head('stateHead', ['entries'], () => {
    this.OR([
      { ALT: () => this.CONSUME(kw('prototypes')) },
      { ALT: () => this.CONSUME(kw('state')) },
    ]);
    this.CONSUME(t.Ident);
    this.OPTION(() => this.SUBRULE(this.perClause));
    this.CONSUME(t.Colon);
    this.SUBRULE(this.type);
  });

  private perClause = this.RULE('perClause', () => {
    this.CONSUME(kw('per'));
    this.CONSUME(t.Ident);
  });

  // ---------------------------------------------------------------- types

  private type = this.RULE('type', () => {
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

  private typeField = this.RULE('typeField', () => {
    this.CONSUME(t.Word);
    this.CONSUME(t.Colon);
    this.SUBRULE(this.type);
    this.SUBRULE(this.separator);
  });

  private shape = this.RULE('shape', () => {
    this.CONSUME(t.LSquare);
    this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.dim) });
    this.CONSUME(t.RSquare);
  });

  private dim = this.RULE('dim', () => {
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
  private expr = this.RULE('expr', () => {
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

  private unary = this.RULE('unary', () => {
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

  private paramExpr = this.RULE('paramExpr', () => {
    this.CONSUME(kw('param'));
    this.SUBRULE(this.type);
    this.CONSUME(kw('init'));
    this.SUBRULE(this.postfix);
  });

  private postfix = this.RULE('postfix', () => {
    this.SUBRULE(this.primary);
    this.MANY(() => this.SUBRULE(this.suffix));
  });

  private suffix = this.RULE('suffix', () => {
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

  private argument = this.RULE('argument', () => {
    this.OPTION(() => {
      this.CONSUME(t.Word);
      this.CONSUME(t.Colon);
    });
    this.SUBRULE(this.element);
  });

  private element = this.RULE('element', () => {
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

  private subscript = this.RULE('subscript', () => {
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

  private to = this.RULE('to', () => {
    this.SUBRULE(this.expr);
  });

  private primary = this.RULE('primary', () => {
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

  private record = this.RULE('record', () => {
    this.CONSUME(t.LCurly);
    this.MANY(() => this.SUBRULE(this.recordField));
    this.CONSUME(t.RCurly);
  });

  private recordField = this.RULE('recordField', () => {
    this.CONSUME(t.Word);
    this.CONSUME(t.Colon);
    this.SUBRULE(this.expr);
    this.SUBRULE(this.separator);
  });
}
