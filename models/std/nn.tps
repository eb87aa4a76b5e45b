# The prelude: layers and shapes that every file sees without an import. Initial values are PyTorch's.
# Nothing of one network lives here.
edition 1

# ---------------------------------------------------------------- shapes

/// A vector as a tensor of `like`'s rank: its values along `axis`, size 1 elsewhere.
block along(axis: int)(v: f32[C], like: f32) -> f32 {
  let a = if axis < 0 then axis + rank(like) else axis
  return v |> reshape([if i == a then C else 1 for i in 0..rank(like)])
}

/// NCHW to NHWC.
block channels_last(x: f32[B, C, H, W]) -> f32[B, H, W, C] {
  return x |> transpose([0, 2, 3, 1])
}

/// NHWC to NCHW.
block channels_first(x: f32[B, H, W, C]) -> f32[B, C, H, W] {
  return x |> transpose([0, 3, 1, 2])
}

/// The pixels of a map as a sequence, row by row.
block tokens(x: f32[B, C, H, W]) -> f32[B, H * W, C] {
  return x |> reshape([B, C, H * W]) |> transpose([0, 2, 1])
}

/// Repeats a map side by side.
block tile(rows: int, columns: int)(x: f32[B, C, H, W]) -> f32[B, C, rows * H, columns * W] {
  return x
    |> reshape([B, C, 1, H, 1, W])
    |> expand([B, C, rows, H, columns, W])
    |> reshape([B, C, rows * H, columns * W])
}

/// The mean of each channel.
block global_pool(x: f32[B, C, H, W]) -> f32[B, C, 1, 1] {
  return mean(x, axes: [2, 3])
}

# ---------------------------------------------------------------- contractions

/// x W^T + b on the last axis. Weights and bias begin uniform within gain / sqrt(C); a gain of 0 begins at zero.
block linear(out: int, biased: bool = true, gain: float = 1.0)(x: f32[..lead, C]) -> f32[..lead, out] {
  let bound = gain / sqrt(C)
  param weight: f32[out, C] init uniform(-bound, bound)
  let y = matmul(x, weight, transpose_b: true)
  if biased {
    param bias: f32[out] init uniform(-bound, bound)
    return y + along(-1)(bias, y)
  } else {
    return y
  }
}

/// A convolution that carries its weights. `gain` as in `linear`, against the fan in.
block conv(
  out: int,
  kernel: pair = 1,
  stride: pair = 1,
  padding: pair = 0,
  dilation: pair = 1,
  groups: int = 1,
  biased: bool = true,
  gain: float = 1.0
)(x: f32[B, C, H, W])
  -> f32[B, out, _, _]
  where C % groups == 0
  where out % groups == 0
{
  let bound = gain / sqrt(C / groups * kernel[0] * kernel[1])
  param weight: f32[out, C / groups, kernel[0], kernel[1]] init uniform(-bound, bound)
  if biased {
    param bias: f32[out] init uniform(-bound, bound)
    return conv2d(x, weight, bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
  } else {
    return conv2d(x, weight, stride: stride, padding: padding, dilation: dilation, groups: groups)
  }
}

/// A transposed convolution. The fan in is that of its weight's second axis, as PyTorch counts it.
block conv_transpose(
  out: int,
  kernel: pair = 2,
  stride: pair = 2,
  padding: pair = 0,
  output_padding: pair = 0,
  dilation: pair = 1,
  groups: int = 1,
  biased: bool = true
)(x: f32[B, C, H, W])
  -> f32[B, out, _, _]
  where C % groups == 0
  where out % groups == 0
{
  let bound = 1.0 / sqrt(out / groups * kernel[0] * kernel[1])
  param weight: f32[C, out / groups, kernel[0], kernel[1]] init uniform(-bound, bound)
  if biased {
    param bias: f32[out] init uniform(-bound, bound)
    return conv_transpose2d(
      x,
      weight,
      bias,
      stride: stride,
      padding: padding,
      output_padding: output_padding,
      dilation: dilation,
      groups: groups
    )
  } else {
    return conv_transpose2d(
      x,
      weight,
      stride: stride,
      padding: padding,
      output_padding: output_padding,
      dilation: dilation,
      groups: groups
    )
  }
}

/// A row of a table for the task at hand.
block embedding(width: int)(t: task) -> f32[1, width] {
  param weight: f32[len(tasks), width] init normal(std: 1.0)
  return gather(weight, t, axis: 0) |> reshape([1, width])
}

# ---------------------------------------------------------------- norms

/// Over the last axis.
block layer_norm(eps: float = 1e-5)(x: f32[..lead, C]) -> f32[..lead, C] {
  param weight: f32[C] init ones
  param bias: f32[C] init zeros
  return normalize(x, axes: [-1], eps: eps) * along(-1)(weight, x) + along(-1)(bias, x)
}

/// Over the channels of each pixel.
block channel_norm(eps: float = 1e-6)(x: f32[B, C, H, W]) -> f32[B, C, H, W] {
  param weight: f32[C] init ones
  param bias: f32[C] init zeros
  return normalize(x, axes: [1], eps: eps) * along(1)(weight, x) + along(1)(bias, x)
}

/// Over each of `groups` groups of channels and all pixels.
block group_norm(groups: int, eps: float = 1e-5)(x: f32[B, C, H, W]) -> f32[B, C, H, W]
  where C % groups == 0
{
  param weight: f32[C] init ones
  param bias: f32[C] init zeros
  if groups == 1 {
    let u = normalize(x, axes: [1, 2, 3], eps: eps)
  } else {
    let u = normalize(x |> reshape([B, groups, C / groups, H, W]), axes: [2, 3, 4], eps: eps) |> reshape([B, C, H, W])
  }
  return u * along(1)(weight, x) + along(1)(bias, x)
}

/// Group norm of one group, wherever the channels lie: over the whole sample, scaled along `axis`.
block sample_norm(axis: int = -1, eps: float = 1e-5)(x: f32) -> f32 {
  let channel = if axis < 0 then axis + rank(x) else axis
  let C = shape(x)[channel]
  param weight: f32[C] init ones
  param bias: f32[C] init zeros
  return normalize(x, axes: [i for i in 1..rank(x)], eps: eps) * along(channel)(weight, x) + along(channel)(bias, x)
}

/// Over the batch and all pixels in training; by the running statistics otherwise. The running variance is the unbiased one.
block batch_norm(momentum: float = 0.1, eps: float = 1e-5)(x: f32[B, C, H, W]) -> f32[B, C, H, W] {
  param weight: f32[C] init ones
  param bias: f32[C] init zeros
  let centre = mean(x, axes: [0, 2, 3])
  let spread = mean((x - centre) * (x - centre), axes: [0, 2, 3])
  let count = sum(ones([B]), axes: [0]) * (1.0 * H * W)
  state running_mean: f32[C] {
    init = zeros([C])
    update = ema(centre |> reshape([C]), momentum: 1.0 - momentum)
  }
  state running_var: f32[C] {
    init = ones([C])
    update = ema((spread |> reshape([C])) * count / maximum(count - 1.0, 1.0), momentum: 1.0 - momentum)
  }
  if training {
    let u = normalize(x, axes: [0, 2, 3], eps: eps)
  } else {
    let u = (x - along(1)(running_mean, x)) / sqrt(along(1)(running_var, x) + eps)
  }
  return u * along(1)(weight, x) + along(1)(bias, x)
}

/// Vectors along `axis` at length 1; a vector shorter than `eps` is divided by `eps`.
block l2_normalize(axis: int = -1, eps: float = 1e-12)(x: f32) -> f32 {
  return x / sqrt(maximum(sum(x * x, axes: [axis]), eps * eps))
}

/// The cosine of the angle between vectors along the channels (axis 1).
block cosine(a: f32, b: f32) -> f32 {
  return sum(l2_normalize(axis: 1, eps: 1e-8)(a) * l2_normalize(axis: 1, eps: 1e-8)(b), axes: [1])
}

# ---------------------------------------------------------------- composites

/// Linear, GELU, linear on the last axis. `out` 0 keeps the width.
block feed_forward(hidden: int, out: int = 0)(x: f32[..lead, C]) -> f32[..lead, width]
  with width = if out == 0 then C else out
{
  layer layers[0] = linear(hidden)
  layer layers[1] = linear(width)
  return layers[1](layers[0](x) |> gelu)
}

/// Scaled dot-product attention of many heads.
block attention(q: f32[B, N, heads, d], k: f32[B, M, heads, d], v: f32[B, M, heads, d]) -> f32[B, N, heads, d] {
  let scores = matmul(q |> transpose([0, 2, 1, 3]), k |> transpose([0, 2, 1, 3]), transpose_b: true) * (1.0 / sqrt(d))
  return matmul(softmax(scores, axis: -1), v |> transpose([0, 2, 1, 3])) |> transpose([0, 2, 1, 3])
}

/// Zeroes a share of the values in training and scales the rest.
block dropout(rate: float)(x: f32) -> f32 {
  if training {
    return x * drop_mask(x, rate)
  } else {
    return x
  }
}
