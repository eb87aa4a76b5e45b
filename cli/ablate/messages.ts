// What a worker of `tpsc ablate` tells the runner that started it. Plain data: it crosses between processes.
import type { WorkOutcome } from '../../runtime/ablate/work.js';
import type { FeatureUse } from '../../runtime/features/cache.js';

export type WorkerMessage =
  | { readonly kind: 'step'; readonly step: number; readonly steps: number; readonly epoch: number; readonly loss: number }
  | { readonly kind: 'validation'; readonly epoch: number; readonly dice: number }
  | { readonly kind: 'end'; readonly outcome: WorkOutcome | 'failed'; readonly features?: FeatureUse };
