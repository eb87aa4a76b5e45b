# Losses of a binary mask: logits f32[B, 1, h, w] and truth f32[B, 1, H, W] to one value per sample. Logits are resized to the truth.
edition 1

/// Logits at the truth's size.
block at_size(logits: f32[B, 1, h, w], truth: f32[B, 1, H, W]) -> f32[B, 1, H, W] {
  return if h == H and w == W then logits else resize(logits, [H, W], mode: bilinear, align_corners: true)
}

/// Binary cross-entropy of each pixel, from logits: log(1 + e^z) - z m.
block cross_entropy(logits: f32[B, 1, H, W], truth: f32[B, 1, H, W]) -> f32[B, 1, H, W] {
  return softplus(logits) - logits * truth
}

/// 1 + strength |mean over 31 x 31 - m|: pixels near an edge weigh more. The window's mean is taken along rows, then columns.
block edge_weight(strength: float)(truth: f32[B, 1, H, W]) -> f32[B, 1, H, W] {
  let local = truth |> avg_pool([31, 1], stride: 1, padding: [15, 0]) |> avg_pool([1, 31], stride: 1, padding: [0, 15])
  return 1.0 + strength * abs(local - truth)
}

/// 1 - Dice of the probabilities.
block dice(logits: f32[B, 1, h, w], truth: f32[B, 1, H, W]) -> f32[B] {
  let p = sigmoid(at_size(logits, truth))
  let both = sum(p * truth, axes: [1, 2, 3])
  let either = sum(p, axes: [1, 2, 3]) + sum(truth, axes: [1, 2, 3])
  return (1.0 - (2.0 * both + 1e-5) / (either + 1e-5)) |> reshape([B])
}

/// Mean cross-entropy.
block bce(logits: f32[B, 1, h, w], truth: f32[B, 1, H, W]) -> f32[B] {
  return mean(cross_entropy(at_size(logits, truth), truth), axes: [1, 2, 3]) |> reshape([B])
}

/// Cross-entropy weighted towards edges.
block weighted_bce(strength: float)(logits: f32[B, 1, h, w], truth: f32[B, 1, H, W]) -> f32[B] {
  let weight = edge_weight(strength)(truth)
  let e = cross_entropy(at_size(logits, truth), truth)
  return (sum(weight * e, axes: [1, 2, 3]) / (sum(weight, axes: [1, 2, 3]) + 1e-8)) |> reshape([B])
}

/// Half Dice, half cross-entropy with weights 1 + 2 |…| (register O4).
block structure(logits: f32[B, 1, h, w], truth: f32[B, 1, H, W]) -> f32[B] {
  let z = at_size(logits, truth)
  return 0.5 * dice(z, truth) + 0.5 * weighted_bce(2.0)(z, truth)
}

/// The field's other form: cross-entropy and IoU, both with weights 1 + 5 |…|.
block structure_iou(logits: f32[B, 1, h, w], truth: f32[B, 1, H, W]) -> f32[B] {
  let z = at_size(logits, truth)
  let weight = edge_weight(5.0)(truth)
  let p = sigmoid(z)
  let both = sum(p * truth * weight, axes: [1, 2, 3])
  let either = sum((p + truth) * weight, axes: [1, 2, 3])
  return weighted_bce(5.0)(z, truth) + ((1.0 - (both + 1.0) / (either - both + 1.0)) |> reshape([B]))
}

# ---------------------------------------------------------------- prototypes: terms of a decoder's `scaled` features and `prototypes`

/// The mask at a map's size: 1 where at least half of the pixel is foreground.
block mask_at(features: f32[B, _, H, W], truth: f32[B, 1, _, _]) -> f32[B, 1, H, W] {
  return cast((truth |> resize([H, W], mode: bilinear, align_corners: true)) >= 0.5, to: f32)
}

/// Per pixel -log softmax of cos(s, P) / temperature over the prototypes of all tasks; the right one is the own task's, of the pixel's side.
/// Prototypes are constants here: `infonce(0.1)(d.scaled, d.prototypes, d.bank, truth)`.
block infonce(
  temperature: float = 0.1
)(features: f32[B, c, H, W], own: f32[2, c], all: f32[T, 2, c], truth: f32[B, 1, _, _])
  -> f32[B]
{
  let pixels = features |> l2_normalize(axis: 1) |> tokens
  let near = matmul(pixels, all |> reshape([2 * T, c]) |> l2_normalize(axis: 1), transpose_b: true) / temperature
  let top = max(near, axes: [2])
  let total = top + log(sum(exp(near - top), axes: [2]))
  let mine = matmul(pixels, own |> l2_normalize(axis: 1), transpose_b: true) / temperature
  let m = mask_at(features, truth) |> tokens
  let right = mine[:, :, 0:1] * m + mine[:, :, 1:2] * (1.0 - m)
  return mean(total - right, axes: [1, 2]) |> reshape([B])
}

/// How far the mean foreground still leans to the background's prototype, beyond a margin: that of each image, or of the batch.
block side_margin(
  margin: float = 0.0,
  pooled: bool = false
)(features: f32[B, c, H, W], own: f32[2, c], truth: f32[B, 1, _, _])
  -> f32[B]
{
  let m = mask_at(features, truth)
  let over = if pooled then [0, 2, 3] else [2, 3]
  let fore = sum(features * m, axes: over) / (sum(m, axes: over) + 1e-6)
  let lean = relu(cosine(fore, own[1] |> reshape([1, c, 1, 1])) - margin)
  return lean |> expand([B, 1, 1, 1]) |> reshape([B])
}

/// The cosine of a task's two prototypes: a number without a gradient, as the released code's unused loss.
block prototype_cosine(own: f32[2, c], truth: f32[B, 1, _, _]) -> f32[B] {
  let apart = cosine(own[0] |> reshape([1, c]), own[1] |> reshape([1, c]))
  return (apart |> reshape([1])) + zeros([B])
}
