# Small trained parts beside a frozen network. An adapter's form (where its norm, scale and sum stand) is separate from what it
# computes (`bottleneck`), so that either changes alone.
edition 1

/// W2 GELU(W1 u) without biases on the last axis; W2 begins at zero, so that the adapter begins as the identity.
block bottleneck(width: int)(u: f32[..lead, C]) -> f32[..lead, C] {
  layer down = linear(width, biased: false)
  layer up = linear(C, biased: false, gain: 0.0)
  return up(down(u) |> gelu)
}

/// A trained factor.
block scaled(start: float = 1.0)(x: f32) -> f32 {
  param factor: f32[] init start
  return factor * x
}

/// x + scale * inner(norm(x)): one route.
block residual(inner: block, scale: block = scaled())(x: f32[..lead, C]) -> f32[..lead, C] {
  layer norm = sample_norm(axis: -1)
  return x + scale(inner(norm(x)))
}

/// Eq. (1) and (2): a shared and a task's own route over one norm, mixed by the gate's weight.
block route(shared: block, specific: block, weight: f32[], scale: block = scaled())(x: f32[..lead, C])
  -> f32[..lead, C]
{
  layer norm = sample_norm(axis: -1)
  let u = norm(x)
  return x + scale((1.0 - weight) * shared(u) + weight * specific(u))
}

/// LoRA: B A x * alpha / rank, to be placed beside a linear layer, whose output it sees for its width. B begins at zero; `alpha` 0 stands for the rank.
block low_rank(rank: int, alpha: float = 0.0)(x: f32[..lead, C], like: f32[..lead, out]) -> f32[..lead, out] {
  layer down = linear(rank, biased: false)
  layer up = linear(out, biased: false, gain: 0.0)
  let strength = if alpha == 0.0 then 1.0 else alpha / rank
  return strength * up(down(x))
}
