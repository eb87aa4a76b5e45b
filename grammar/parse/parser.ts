// The grammar of edition 1 as chevrotain rules, LL(2), without actions: tokens to a concrete tree. The tree's reading is in build/.
// Declarations are here, what they are made of in statements.ts and expressions.ts. Rules made by `item` own their separator;
// rules made by `head` stand before a body (recovery.ts).
import { EOF, type CstNode, type IToken } from 'chevrotain';
import * as t from '../text/tokens.js';
import { StatementParser } from './statements.js';

const kw = t.kw;

export class TpsParser extends StatementParser {
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
}
