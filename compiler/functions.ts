// From one program, the functions of training and inference, each an ordinary graph over the same tensors.
// Feeds and fetches are named as `leafName` says; `gradFunction` and `applyFunction` add the names documented on them.
import type { Graph } from './ir/graph.js';
import type { OptimizerConfig, Program, TensorInfo } from './program.js';

/** infer(image; t, schedules) -> logits, … after the passes. */
export declare function inferFunction(program: Program): Graph;
/** evaluate(image, truth; t, schedules) -> logits, loss f32[B]. */
export declare function evalFunction(program: Program): Graph;
/**
 * grad(image, truth, weights f32[B]; t, schedules, drops) -> loss f32[B]; `grad:PATH` of Σ_b weights_b · loss_b for every
 * trainable parameter that the loss reaches; `state:PATH`.
 */
export declare function gradFunction(program: Program): Graph;
/**
 * apply over some tensors: feeds `PATH`, `grad:PATH`, `m:PATH`, `v:PATH` (those that the optimiser keeps), and the scalars `lr`,
 * `step` (1 at the first update of these tensors) and `clip` (the factor min(1, c / ||g||), 1 without clipping); gives `PATH`, `m:PATH`, `v:PATH`.
 */
export declare function applyFunction(tensors: readonly TensorInfo[], optimizer: OptimizerConfig): Graph;
