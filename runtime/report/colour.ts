// ANSI colours for what people read. No text lives here; whether colours are wanted is decided at the edge.

export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly green: (text: string) => string;
  readonly blue: (text: string) => string;
  readonly cyan: (text: string) => string;
}

const wrap = (on: boolean, open: string, close: number) => (text: string): string =>
  on && text !== '' ? `\u001b[${open}m${text}\u001b[${close}m` : text;

/** Paints where `on`, else gives every text back as it is. */
export const paint = (on: boolean): Paint => ({
  bold: wrap(on, '1', 22), dim: wrap(on, '2', 22), red: wrap(on, '1;31', 0), yellow: wrap(on, '1;33', 0),
  green: wrap(on, '1;32', 0), blue: wrap(on, '1;34', 0), cyan: wrap(on, '1;36', 0),
});
