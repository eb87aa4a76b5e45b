// The features of a run's frozen parts: where they are kept, and what that has saved so far.
import { totalmem } from 'node:os';
import { diskShelves } from './disk.js';
import { memoryShelves } from './memory.js';
import type { Shelves } from './shelf.js';

/** Bytes where they are given. */
export type CacheSetting =
  | { readonly kind: 'off' }
  | { readonly kind: 'ram'; readonly bytes?: number }
  | { readonly kind: 'disk'; readonly folder: string; readonly bytes?: number };

/** What a cache has done for a process. */
export interface FeatureUse {
  /** Images whose features were asked for, each time counted. */
  readonly images: number;
  /** Those of them that were not computed. */
  readonly kept: number;
  /** What those would have taken at the pace of those that were computed, less all that keeping cost. */
  readonly secondsSaved: number;
}

export const NOTHING_USED: FeatureUse = { images: 0, kept: 0, secondsSaved: 0 };
export const addedUse = (a: FeatureUse, b: FeatureUse): FeatureUse => ({ images: a.images + b.images, kept: a.kept + b.kept, secondsSaved: a.secondsSaved + b.secondsSaved });

export const DEFAULT_DISK_BYTES = 50 * 2 ** 30;
/** 4 GiB, or a quarter of a small machine's memory. */
export function defaultRamBytes(): number {
  // 0, or a number beyond all memory, where nothing constrains the process
  const allowed = process.constrainedMemory();
  return Math.min(4 * 2 ** 30, Math.floor(Math.min(totalmem(), allowed > 0 ? allowed : Infinity) / 4));
}

export class FeatureCache {
  private images = 0;
  private kept = 0;
  private computing = 0;
  private keeping = 0;
  /** Kept features are not what this machine computes: they were left alone. */
  distrusted = false;

  /** `version` is that of the code that makes features: part of what they are known by. */
  constructor(readonly shelves: Shelves, readonly version: string) {}

  /** `kept` of `images` were found; the others took `computing` seconds, and keys, finding and keeping `keeping`. */
  count(images: number, kept: number, computing: number, keeping: number): void {
    this.images += images;
    this.kept += kept;
    this.computing += computing;
    this.keeping += keeping;
  }

  get use(): FeatureUse {
    const { images, kept, computing, keeping } = this, computed = images - kept;
    return { images, kept, secondsSaved: computed === 0 ? 0 : Math.max(0, (kept * computing) / computed - keeping) };
  }
}

/** Throws UserError where a folder cannot be made. */
export function openFeatures(setting: CacheSetting, version: string): FeatureCache | undefined {
  switch (setting.kind) {
    case 'off': return undefined;
    case 'ram': return new FeatureCache(memoryShelves(setting.bytes ?? defaultRamBytes()), version);
    case 'disk': return new FeatureCache(diskShelves(setting.folder, setting.bytes ?? DEFAULT_DISK_BYTES), version);
    default: return setting satisfies never;
  }
}
