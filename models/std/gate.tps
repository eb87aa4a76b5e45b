# Laws of a split gate: N logits to N weights in [0, 1] that rise along the nodes. Each is provably monotone.
# What a gate weighs is said where it is used.
edition 1

/// Eq. (3) as a sigmoid of a cumulative quantity (register G1), its ends free (G7). At zero logits it opens in the middle.
block cumulative_sigmoid(logits: f32[N], temperature: f32[]) -> f32[N] {
  let rise = softplus(logits)
  return sigmoid((cumsum(rise, axis: 0) - 0.5 * sum(rise, axes: [0])) / temperature)
}

/// The share of a softmax up to each node: ends at 1.
block cumulative_softmax(logits: f32[N], temperature: f32[]) -> f32[N] {
  return cumsum(softmax(logits / temperature, axis: 0), axis: 0)
}

/// A sigmoid about the mean position of a softmax: only one number of the N matters.
block position(logits: f32[N], temperature: f32[]) -> f32[N] {
  let centre = sum(softmax(logits, axis: 0) * arange(N), axes: [0])
  return sigmoid((arange(N) - centre) / temperature)
}
