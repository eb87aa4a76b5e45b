// The two ways in which a user can be told of a mistake from outside the language. The CLI turns them into text and an exit code.

/** The input is at fault (a file, an image, a checkpoint, a run directory): exit code 1. The message says what, where, why and what to do. */
export class UserError extends Error {
  constructor(message: string, readonly help?: string) { super(message); }
}
/** The command was used in a way it does not know (a flag's value, a missing argument): exit code 2. */
export class MisuseError extends UserError {}
