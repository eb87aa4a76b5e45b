# Laws of a split gate (register G1): N logits to N weights in [0, 1] along the nodes. What a gate weighs is said where it is used.
# Those under "not monotone" need `free(…)`; the others are shown to rise.
edition 1

/// Eq. (3) as a sigmoid of a cumulative quantity, its ends free (G7). At zero logits it opens in the middle.
block cumulative_sigmoid(logits: f32[N], temperature: f32[]) -> f32[N] {
  let rise = softplus(logits)
  return sigmoid((cumsum(rise, axis: 0) - 0.5 * sum(rise, axes: [0])) / temperature)
}

/// The share of a softmax up to each node: ends at 1, and splits at the largest logit as it cools.
block cumulative_softmax(logits: f32[N], temperature: f32[]) -> f32[N] {
  return cumsum(softmax(logits / temperature, axis: 0), axis: 0)
}

/// 1 - Π (1 - sigmoid(l / τ)): the chance to have crossed over by each node. 1 - sigmoid is e^-softplus. Cooling may close it for good.
block hazard(logits: f32[N], temperature: f32[]) -> f32[N] {
  return 1.0 - exp(-cumsum(softplus(logits / temperature), axis: 0))
}

/// A sigmoid about the mean position of a softmax: only one number of the N matters.
block position(logits: f32[N], temperature: f32[]) -> f32[N] {
  let centre = sum(softmax(logits, axis: 0) * arange(N), axes: [0])
  return sigmoid((arange(N) - centre) / temperature)
}

/// A step that nothing trains: 0 before node `at`, 1 from it on. `at` 0 is every task's own route, `at` = nodes the shared one alone.
block fixed_split(nodes: int, at: int)() -> f32[nodes]
  where at >= 0
  where at <= nodes
{
  return tensor([if i >= at then 1.0 else 0.0 for i in 0..nodes])
}

/// Another law with its ends held: the first node all shared, the last all the task's own (G7).
block clamped(law: block)(logits: f32[N], temperature: f32[]) -> f32[N] {
  let upper = tensor([if i == 0 then 0.0 else 1.0 for i in 0..N])
  let lower = tensor([if i == N - 1 then 1.0 else 0.0 for i in 0..N])
  return maximum(minimum(law(logits, temperature), upper), lower)
}

/// Another law, soft in training and a step at one half afterwards (G8).
block hard_outside_training(law: block)(logits: f32[N], temperature: f32[]) -> f32[N] {
  let g = law(logits, temperature)
  return if training then g else cast(g >= 0.5, to: f32)
}

# ---------------------------------------------------------------- not monotone: `free(…)`

/// A sigmoid of running sums: rises only where no logit is negative.
block naive_cumulative(logits: f32[N], temperature: f32[]) -> f32[N] {
  return sigmoid(cumsum(logits, axis: 0) / temperature)
}

/// The released, never built gate: 0 for the first `closed` nodes, then a sigmoid of each logit by itself.
block independent(closed: int)(logits: f32[N], temperature: f32[]) -> f32[closed + N] {
  return concat([zeros([closed]), sigmoid(logits / temperature)], axis: 0)
}

# ---------------------------------------------------------------- regularisers, to be added to a loss: f32[]
# The released gate lists six and gives none a weight. Of two (`undecided`) it also says when they count: for a task whose validation no longer improves,
# or whose loss stands out among all tasks'. A spec sees neither; how much they count is said by a number or an `anneal(…)` before them.

/// Monotone hinge: the mean fall from one node to the next beyond `slack`.
block falls(slack: float = 0.15)(gate: f32[N]) -> f32[] {
  return mean(relu(gate[0:N - 1] - gate[1:N] - slack), axes: [0]) |> reshape([])
}

/// Sparsity: the mean of (4 g (1 - g))^2, 0 where every weight is 0 or 1.
block indecision(gate: f32[N]) -> f32[] {
  let open = 4.0 * gate * (1.0 - gate)
  return mean(open * open, axes: [0]) |> reshape([])
}

/// How far a temperature lies below `floor`. Of a schedule it is a number without a gradient.
block too_cold(floor: float = 0.5)(temperature: f32[]) -> f32[] {
  return relu(floor - temperature)
}

/// Diversity, from the gates of all tasks (a gate whose logits are the rows of one table): minus the deviation of their centres. A centre is the number
/// of nodes below the split, N - Σ g; the released one, the node nearest to one half, has no gradient. Equal centres have the gradient 0.
block alike(gates: f32[T, N]) -> f32[]
  where T > 1
{
  let centres = N - sum(gates, axes: [1])
  let off = centres - mean(centres, axes: [0])
  return (-sqrt(sum(off * off, axes: [0, 1]) / (T - 1.0) + 1e-12)) |> reshape([])
}

/// 1 - slope |m - 1/2| for the mean weight m of the nodes from `first` to before `end`: highest where they are half open. Exploration has slope 2 and
/// weight 0.5, loss-guided slope 1 and weight 0.3.
block undecided(first: int, end: int, slope: float = 2.0)(gate: f32[N]) -> f32[]
  where first < end
  where end <= N
{
  return 1.0 - slope * abs((mean(gate[first:end], axes: [0]) |> reshape([])) - 0.5)
}
