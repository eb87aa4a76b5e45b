# How prototypes follow the features that they stand for, eq. (12) and (13): which pixels count, and one update a step or one an image.
# Letters in comments are those of the ambiguity register. A law is given its old value as `old`, which `ema` reads.
edition 1

/// Weights of foreground and background (P21): the mask and its complement.
block soft_sides(mask: f32[B, 1, H, W]) -> [f32[B, 1, H, W]] {
  return [mask, 1.0 - mask]
}

/// Above one half, and below a tenth; what lies between counts for neither (P21, released).
block banded_sides(mask: f32[B, 1, H, W]) -> [f32[B, 1, H, W]] {
  return [cast(mask > 0.5, to: f32), cast(mask < 0.1, to: f32)]
}

/// Which sides (row 0 foreground, row 1 background) weigh at least `least` pixels in some image of the batch.
block regions_seen(least: float, sides: block = soft_sides)(mask: f32[B, 1, H, W]) -> bool[2, 1] {
  let [fore, back] = sides(mask)
  let inside = max(sum(fore, axes: [1, 2, 3]), axes: [0]) |> reshape([1, 1])
  let outside = max(sum(back, axes: [1, 2, 3]), axes: [0]) |> reshape([1, 1])
  return concat([inside, outside], axis: 0) >= least
}

/// The mean feature under soft weights, of each image in which they weigh at least `least`, averaged over those images.
block pooled_mean(least: float)(features: f32[B, C, H, W], weight: f32[B, 1, H, W]) -> f32[1, C] {
  let mass = sum(weight, axes: [2, 3])
  let counts = cast(mass >= least, to: f32)
  let means = sum(features * weight, axes: [2, 3]) / maximum(mass, least)
  return (sum(means * counts, axes: [0]) / maximum(sum(counts, axes: [0]), 1.0)) |> reshape([1, C])
}

/// Eq. (12), pooled over the batch: the mean feature of foreground and background at length 1.
block region_means(least: float, sides: block = soft_sides)(features: f32[B, C, H, W], mask: f32[B, 1, H, W])
  -> f32[2, C]
{
  let [fore, back] = sides(mask)
  return concat([pooled_mean(least)(features, fore), pooled_mean(least)(features, back)], axis: 0)
    |> l2_normalize(axis: 1)
}

/// Eq. (12) and (13) as one update a step, whatever the batch's order and size (P18, P20); a side that no image shows keeps its prototype.
block pooled(
  momentum: float = 0.9,
  least: float = 0.05,
  sides: block = soft_sides
)(old: f32[2, C], features: f32[B, C, H, W], truth: f32[B, 1, _, _])
  -> f32[2, C]
{
  let fresh = region_means(
    least,
    sides
  )(features |> l2_normalize(axis: 1), truth |> resize([H, W], mode: bilinear, align_corners: true))
  let seen = regions_seen(least, sides)(truth |> resize([H, W], mode: bilinear, align_corners: true))
  return ema(fresh, momentum: momentum, when: seen) |> l2_normalize(axis: 1)
}

/// The rows of a per-image matrix as a list of `most`; those beyond the batch are zero.
block rows_of(most: int)(x: f32[B, C]) -> [f32[1, C]] {
  let place = one_hot(cast(cumsum(ones([B]), axis: 0) - 1.0, to: i64), depth: most)
  let rows = matmul(place, x, transpose_a: true)
  return [rows[i:i + 1] for i in 0..most]
}

/// One image's turn: `ema` reads `old`.
block turn(momentum: float)(old: f32[1, C], fresh: f32[1, C], seen: bool[1, 1]) -> f32[1, C] {
  return ema(fresh, momentum: momentum, when: seen) |> l2_normalize(axis: 1)
}

/// One update after another, image by image, in batches of at most `most` (P20, released).
block sequential(
  momentum: float = 0.995,
  least: float = 10.0,
  most: int = 8,
  sides: block = banded_sides
)(old: f32[2, C], features: f32[B, C, H, W], truth: f32[B, 1, _, _])
  -> f32[2, C]
{
  let unit = features |> l2_normalize(axis: 1)
  let weights = sides(truth |> resize([H, W], mode: bilinear, align_corners: true))
  let mass = [rows_of(most)(sum(w, axes: [1, 2, 3]) |> reshape([B, 1])) for w in weights]
  let total = [rows_of(most)(sum(unit * w, axes: [2, 3]) |> reshape([B, C])) for w in weights]
  carry rows = [old[0:1], old[1:2]]
  for i in 0..most {
    next rows = [turn(momentum)(rows[k], total[k][i] / (mass[k][i] + 1e-6), mass[k][i] > least) for k in 0..2]
  }
  return concat(rows, axis: 0)
}
