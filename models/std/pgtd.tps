# The prototype-guided task decoder and what it is made of; letters in comments are those of the ambiguity register.
# The encoder, its adapters and the wiring of several decoders are said by the model.
edition 1

# ---------------------------------------------------------------- features before a decoder

/// Convolution without bias, group norm of one group, ReLU.
block conv_unit(width: int, kernel: pair = 1, padding: pair = 0, dilation: pair = 1)(x: f32[B, C, H, W])
  -> f32[B, width, H, W]
{
  return x |> conv(width, kernel: kernel, padding: padding, dilation: dilation, biased: false) |> group_norm(1) |> relu
}

/// A branch with a cross of `size` and a 3 x 3 kernel dilated by `size`.
block cross_branch(width: int, size: int)(x: f32[B, C, H, W]) -> f32[B, width, H, W] {
  let half = (size - 1) / 2
  layer units[0] = conv_unit(width)
  layer units[1] = conv_unit(width, kernel: [1, size], padding: [0, half])
  layer units[2] = conv_unit(width, kernel: [size, 1], padding: [half, 0])
  layer units[3] = conv_unit(width, kernel: 3, padding: size, dilation: size)
  return units[3](units[2](units[1](units[0](x))))
}

/// A receptive field block: four branches of growing reach, fused, and a shortcut (P3).
block receptive_field(width: int)(x: f32[B, C, H, W]) -> f32[B, width, H, W] {
  layer branch0 = conv_unit(width)
  layer branch1 = cross_branch(width, 3)
  layer branch2 = cross_branch(width, 5)
  layer branch3 = cross_branch(width, 7)
  layer join = conv_unit(width, kernel: 3, padding: 1)
  layer shortcut = conv_unit(width)
  return relu(join(concat([branch0(x), branch1(x), branch2(x), branch3(x)], axis: 1)) + shortcut(x))
}

/// One receptive field block for each stage.
block rfb(widths: [int])(stages: [f32[B, _, _, _]]) -> [f32[B, _, _, _]] {
  for i in 0..len(widths) {
    layer level[i] = receptive_field(widths[i])
  }
  return [level[i](stages[i]) for i in 0..len(widths)]
}

# ---------------------------------------------------------------- parts of a decoder

/// 1 x 1 convolution without bias, group norm of one group, GELU (P4).
block project(width: int)(x: f32[B, C, H, W]) -> f32[B, width, H, W] {
  return x |> conv(width, biased: false) |> group_norm(1) |> gelu
}

/// s of eq. (5) to (8): a grouped 3 x 3 convolution of four channels a group, then 1 x 1.
block scale_encoder(c: int)(f: f32[B, c, H, W]) -> f32[B, c, H, W]
  where c % 4 == 0
{
  layer spread = conv(c, kernel: 3, padding: 1, groups: c / 4)
  layer norm = group_norm(4)
  layer mix = conv(c)
  return mix(norm(spread(f)) |> gelu)
}

/// Attention of a few queries over a memory, with projections in and out and no residual (P6).
block cross_attention(width: int, heads: int)(query: f32[B, Q, _], memory: f32[B, N, _]) -> f32[B, Q, width]
  where width % heads == 0
{
  let d = width / heads
  layer q = linear(width)
  layer k = linear(width)
  layer v = linear(width)
  layer out = linear(width)
  let a = attention(
    q(query) |> reshape([B, Q, heads, d]),
    k(memory) |> reshape([B, N, heads, d]),
    v(memory) |> reshape([B, N, heads, d])
  )
  return out(a |> reshape([B, Q, width]))
}

/// The kernel that leaves its input as it is.
block identity_kernel(size: int)() -> f32[1, 1, size, size]
  where size % 2 == 1
{
  let half = (size - 1) / 2
  return tensor([[if i == half and j == half then 1.0 else 0.0 for j in 0..size] for i in 0..size])
    |> reshape([1, 1, size, size])
}

/// A depthwise convolution whose kernel differs per sample: shifted multiply-adds.
block depthwise(x: f32[B, C, H, W], kernels: f32[B, C, k, k]) -> f32[B, C, H, W]
  where k % 2 == 1
{
  let half = (k - 1) / 2
  let wide = pad(x, before: [0, 0, half, half], after: [0, 0, half, half])
  return sum(sum(wide[:, :, i:i + H, j:j + W] * kernels[:, :, i:i + 1, j:j + 1] for j in 0..k) for i in 0..k)
}

/// Which regions of a mask (row 0 foreground, row 1 background) weigh at least `least` pixels in some image of the batch.
block regions_seen(least: float)(mask: f32[B, 1, H, W]) -> bool[2, 1] {
  let inside = max(sum(mask, axes: [1, 2, 3]), axes: [0]) |> reshape([1, 1])
  let outside = max(sum(1.0 - mask, axes: [1, 2, 3]), axes: [0]) |> reshape([1, 1])
  return concat([inside, outside], axis: 0) >= least
}

/// The mean feature under soft weights, of each image in which they weigh at least `least`, averaged over those images.
block pooled_mean(least: float)(features: f32[B, C, H, W], weight: f32[B, 1, H, W]) -> f32[1, C] {
  let mass = sum(weight, axes: [2, 3])
  let counts = cast(mass >= least, to: f32)
  let means = sum(features * weight, axes: [2, 3]) / maximum(mass, least)
  return (sum(means * counts, axes: [0]) / maximum(sum(counts, axes: [0]), 1.0)) |> reshape([1, C])
}

/// Eq. (12), pooled over the batch (P20, P21): the mean feature of foreground and background at length 1.
block region_means(least: float)(features: f32[B, C, H, W], mask: f32[B, 1, H, W]) -> f32[2, C] {
  return concat([pooled_mean(least)(features, mask), pooled_mean(least)(features, 1.0 - mask)], axis: 0)
    |> l2_normalize(axis: 1)
}

/// Logits of the task at hand: a trunk that all tasks share, then the task's own row (P15).
block task_head(t: task, c: int)(y: f32[B, c, H, W]) -> f32[B, 1, H, W] {
  layer spread = conv(c, kernel: 3, padding: 1, groups: c)
  layer norm = group_norm(1)
  let u = norm(spread(y)) |> gelu
  return per t conv(1)(u)
}

# ---------------------------------------------------------------- decoders

/// Prototype-guided task decoder, eq. (4) to (13), with the register's defaults. The experts of eq. (10) share one input, so their
/// weighted sum is one depthwise convolution by the weighted kernel.
block pgtd(
  t: task,
  c: int,
  experts: int = 6,
  alpha: float = 0.5,
  lambda_p: float = 5.0,
  momentum: float = 0.9,
  heads: int = 4,
  least: float = 0.05
)(low: f32[B, _, H, W], high: f32[B, _, _, _])
  -> { logits: f32[B, 1, H, W], feature: f32[B, c, H, W] }
  where c % 4 == 0
  where c % heads == 0
{
  layer from_high = project(c)
  layer from_low = project(c / 2)
  layer join = project(c)
  let hi = from_high(high |> resize([H, W], mode: bilinear, align_corners: true))  # P2
  let f = join(concat([hi, from_low(low)], axis: 1))  # eq. 4, P1
  layer scale = scale_encoder(c)
  let s = scale(f)

  prototypes proto per t: f32[2, c] {  # row 0 foreground, row 1 background
    init = embedding(64)(t) |> feed_forward(2 * c, out: 2 * c) |> reshape([2, c]) |> l2_normalize(axis: 1)  # eq. 5, P24, P25
    update = ema(  # eq. 12, 13, P18 to P21
      region_means(least)(s |> l2_normalize(axis: 1), truth |> resize([H, W], mode: bilinear, align_corners: true)),
      momentum: momentum,
      when: regions_seen(least)(truth |> resize([H, W], mode: bilinear, align_corners: true))
    )
      |> l2_normalize(axis: 1)
  }

  layer attend = cross_attention(c, heads)  # eq. 6, P5, P6
  let a = attend(proto |> reshape([1, 2, c]) |> expand([B, 2, c]), s |> tokens)
  layer condition = linear(c)  # eq. 7, P7
  let z = condition(concat([a[:, 0], a[:, 1], a[:, 0] - a[:, 1]], axis: 1))

  layer generate = feed_forward(2 * c, out: experts * c * 9)
  layer choose = linear(experts)
  param mix: f32[] init 0.3
  let made = generate(z) |> reshape([B, experts, c * 9])
  let weights = softmax(choose(z), axis: 1) |> reshape([B, experts, 1])
  let kernels = mix * (sum(weights * made, axes: [1]) |> reshape([B, c, 3, 3])) + (1.0 - mix) * identity_kernel(3)()  # P8, P9

  let d = cosine(s, proto[0] |> reshape([1, c, 1, 1])) - cosine(s, proto[1] |> reshape([1, c, 1, 1]))  # eq. 8
  let y = depthwise(f * (1.0 + alpha * sigmoid(d)), kernels)  # eq. 9, 10, P10, P16
  param rho: f32[] init 1.0
  param sharpness: f32[] init 0.1
  let centred = d / (mean(abs(d), axes: [1, 2, 3]) + 1e-6)  # P11, P12
  let guide = lambda_p * rho * tanh(centred / maximum(sharpness, 1e-3))  # eq. 11, P13, P14, P17
  layer head = task_head(t, c)
  return { logits: head(y) + guide, feature: y }
}

/// A plain decoder with the same inputs and results: no prototypes, no generated kernels.
block fuse_decoder(c: int, head: block)(low: f32[B, _, H, W], high: f32[B, _, _, _])
  -> { logits: f32[B, 1, H, W], feature: f32[B, c, H, W] }
{
  layer first = conv_unit(c, kernel: 3, padding: 1)
  layer second = conv_unit(c, kernel: 3, padding: 1)
  let y = second(first(concat([high |> resize([H, W], mode: bilinear, align_corners: true), low], axis: 1)))
  let logits = head(y)
  return { logits: logits, feature: y }
}
