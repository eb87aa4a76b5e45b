// What the thread that loads images is asked, and what it answers. Types alone.
import type { BatchPixels, DecodedPair, ImageFiles, PixelRequest, Sampling, Size } from './types.js';

export type Request =
  | { readonly kind: 'pair'; readonly root: string; readonly item: ImageFiles; readonly size: Sampling | undefined }
  | { readonly kind: 'pixels'; readonly request: PixelRequest }
  /** What is under way is finished first. */
  | { readonly kind: 'close' };

export interface Question { readonly id: number; readonly request: Request }

export type Answer =
  | { readonly id: number; readonly value: (DecodedPair & Size) | BatchPixels }
  /** `user`: a UserError. */
  | { readonly id: number; readonly user: boolean; readonly message: string; readonly help?: string; readonly stack?: string };
