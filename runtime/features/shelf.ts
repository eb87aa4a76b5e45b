// What keeps the features of images: numbers by name. What they are, and what a name says, is the caller's matter.

/** The features of one prefix. */
export interface Shelf {
  /** Whether it held something when it was opened: made by another process, on who knows which machine. */
  readonly inherited: boolean;
  /** The numbers of an image, or undefined where they are not held or are damaged. They stay the shelf's: not to be written to. */
  get(image: string): Promise<Float32Array | undefined>;
  /** Keeps them if there is room. `values` are the shelf's from now on. */
  put(image: string, values: Float32Array): Promise<void>;
  /** What it inherited is not to be used. */
  forget(): void;
}

export interface Shelves {
  /** `identity` names all that could change a number; `floats` is what an image has. Opened twice, it is the same shelf. */
  open(identity: string, floats: number): Shelf;
  /** Bytes that are held. */
  readonly bytes: number;
  /** Where, and up to how much, in words. */
  readonly place: string;
}

/** One shelf an identity. */
export function byIdentity<T>(make: (identity: string, floats: number) => T): (identity: string, floats: number) => T {
  const made = new Map<string, T>();
  return (identity, floats) => {
    const shelf = made.get(identity) ?? make(identity, floats);
    made.set(identity, shelf);
    return shelf;
  };
}
