// How sessions are set up, by either route to ONNX Runtime: the same, so that their results are the same to the bit.

/** Optimisers that look for quantised graphs, which ours are not, and one that our own passes have left nothing to do: each costs a walk over the graph. */
const IDLE_OPTIMIZERS = [
  'CommonSubexpressionElimination', 'EnsureUniqueDQForNodeUnit', 'WhereDummyDq', 'WeightBiasQuantization', 'QDQPropagationTransformer', 'DoubleQDQPairsRemover',
];

/**
 * Entries of the session's configuration. Measured on training steps: denormals cost 10 %; threads that sleep between ops wake too late (decision 18), between runs they sleep.
 * Of what is not an entry: `all` optimisations, for they fuse transposes into products; one node at a time, for parallel execution is twice slower;
 * no memory pattern, for from the second run on it asks for one block for all values beside the arena of the first: twice the memory (decision 12).
 */
export const CONFIG: Readonly<Record<string, string>> = {
  'session.set_denormal_as_zero': '1',
  'session.intra_op.allow_spinning': '1',
  'session.force_spinning_stop': '1',
  'optimization.disable_specified_optimizers': IDLE_OPTIMIZERS.join(';'),
};

/**
 * Where ONNX Runtime knows shapes it plans which value takes whose memory, in time quadratic in the nodes: 5 s of 7 for 7,000 nodes,
 * and the steps are no faster for it.
 */
export const ONNX_OPTIONS = { producerVersion: '', hideShapes: true } as const;
