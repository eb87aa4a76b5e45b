// Which list of tasks a model's own task is of. No evaluation.
import type { ModelDecl, SourceFile, TasksDecl } from '../../grammar/ast.js';

/** The list that the model's task names; where it says none, the first of the file. */
export function taskListOf(file: SourceFile, model?: ModelDecl): TasksDecl | undefined {
  const lists = file.declarations.filter((d): d is TasksDecl => d.kind === 'tasks');
  const of = model?.inputs.flatMap((p) => (p.type.kind === 'named' && p.type.name === 'task' && p.type.of !== undefined ? [p.type.of.text] : []))[0];
  return lists.find((d) => d.name.text === of) ?? lists[0];
}
