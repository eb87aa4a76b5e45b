# Small trained parts beside a frozen network. An adapter's form (where its norm, scale and sum stand) is separate from what it
# computes (`bottleneck`), so that either changes alone. Letters in comments are those of the ambiguity register.
edition 1

/// W2 GELU(W1 u) on the last axis, without biases where not asked for; W2 begins at zero, so that the adapter begins as the identity (G5).
block bottleneck(width: int, biased: bool = false)(u: f32[..lead, C]) -> f32[..lead, C] {
  layer down = linear(width, biased: biased)
  layer up = linear(C, biased: biased, gain: 0.0)
  return up(down(u) |> gelu)
}

/// GELU(W2 GELU(W1 u)) with biases: the prompt of SAM2-UNet.
block prompt(width: int)(u: f32[..lead, C]) -> f32[..lead, C] {
  layer down = linear(width)
  layer up = linear(C)
  return up(down(u) |> gelu) |> gelu
}

/// A trained factor (G4).
block scaled(start: float = 1.0)(x: f32) -> f32 {
  param factor: f32[] init start
  return factor * x
}

/// A trained factor for each task, all in one table (G4, released).
block task_scales(t: task, start: float = 1.0)(x: f32) -> f32 {
  param factors: f32[len(tasks)] init constant(start)
  return gather(factors, t, axis: 0) * x
}

/// A trained factor for each channel of the last axis (G4, LayerScale).
block layer_scale(start: float = 1.0)(x: f32[..lead, C]) -> f32[..lead, C] {
  param factor: f32[C] init constant(start)
  return along(-1)(factor, x) * x
}

/// x + inner(x).
block plain(inner: block)(x: f32[..lead, C]) -> f32[..lead, C] {
  return x + inner(x)
}

/// inner(norm(x)): a route with a norm of its own (G3).
block normed(inner: block)(x: f32[..lead, C]) -> f32[..lead, C] {
  layer norm = sample_norm(axis: -1)
  return inner(norm(x))
}

/// x + scale * inner(norm(x)): one route.
block residual(inner: block, scale: block = scaled())(x: f32[..lead, C]) -> f32[..lead, C] {
  layer norm = sample_norm(axis: -1)
  return x + scale(inner(norm(x)))
}

/// (1 - w) a + w b (G2).
block convex(a: f32[..lead, C], b: f32[..lead, C], weight: f32[]) -> f32[..lead, C] {
  return (1.0 - weight) * a + weight * b
}

/// a + w b (G2).
block additive(a: f32[..lead, C], b: f32[..lead, C], weight: f32[]) -> f32[..lead, C] {
  return a + weight * b
}

/// Eq. (1) and (2): a shared and a task's own route over one norm (G3), mixed by the gate's weight (G2).
block route(
  shared: block,
  specific: block,
  weight: f32[],
  scale: block = scaled(),
  norm: block = sample_norm(axis: -1),
  mix: block = convex
)(x: f32[..lead, C])
  -> f32[..lead, C]
{
  let u = norm(x)
  return x + scale(mix(shared(u), specific(u), weight))
}

/// LoRA: B A x * alpha / rank, to be placed beside a linear layer, whose output it sees for its width. B begins at zero; `alpha` 0 stands for the rank.
block low_rank(rank: int, alpha: float = 0.0)(x: f32[..lead, C], like: f32[..lead, out]) -> f32[..lead, out] {
  layer down = linear(rank, biased: false)
  layer up = linear(out, biased: false, gain: 0.0)
  let strength = if alpha == 0.0 then 1.0 else alpha / rank
  return strength * up(down(x))
}
