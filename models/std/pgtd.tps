# The prototype-guided task decoder and what it is made of. Letters in comments are those of the ambiguity register: each names a choice
# that the paper leaves open, and stands where the alternative goes in. The encoder, its adapters and the wiring of several decoders are said by the model.
edition 1
from std.prototypes import pooled

# ---------------------------------------------------------------- features before a decoder

/// Convolution without bias, group norm of one group, ReLU.
block conv_unit(width: int, kernel: pair = 1, padding: pair = 0, dilation: pair = 1)(x: f32[B, C, H, W])
  -> f32[B, width, H, W]
{
  return x |> conv(width, kernel: kernel, padding: padding, dilation: dilation, biased: false) |> group_norm(1) |> relu
}

/// Convolution without bias, batch norm, no activation: the unit of SAM2-UNet's receptive fields (P3).
block linear_unit(width: int, kernel: pair = 1, padding: pair = 0, dilation: pair = 1)(x: f32[B, C, H, W])
  -> f32[B, width, H, W]
{
  return x |> conv(width, kernel: kernel, padding: padding, dilation: dilation, biased: false) |> batch_norm()
}

/// A branch with a cross of `size` and a 3 x 3 kernel dilated by `size`.
block cross_branch(width: int, size: int, unit: block = conv_unit)(x: f32[B, C, H, W]) -> f32[B, width, H, W] {
  let half = (size - 1) / 2
  layer units[0] = unit(width)
  layer units[1] = unit(width, kernel: [1, size], padding: [0, half])
  layer units[2] = unit(width, kernel: [size, 1], padding: [half, 0])
  layer units[3] = unit(width, kernel: 3, padding: size, dilation: size)
  return units[3](units[2](units[1](units[0](x))))
}

/// A receptive field block: four branches of growing reach, fused, and a shortcut (P3).
block receptive_field(width: int, unit: block = conv_unit)(x: f32[B, C, H, W]) -> f32[B, width, H, W] {
  layer branch0 = unit(width)
  layer branch1 = cross_branch(width, 3, unit)
  layer branch2 = cross_branch(width, 5, unit)
  layer branch3 = cross_branch(width, 7, unit)
  layer join = unit(width, kernel: 3, padding: 1)
  layer shortcut = unit(width)
  return relu(join(concat([branch0(x), branch1(x), branch2(x), branch3(x)], axis: 1)) + shortcut(x))
}

/// The same with batch norm, and ReLU at the end alone (P3).
block receptive_field_batch(width: int)(x: f32[B, C, H, W]) -> f32[B, width, H, W] {
  layer field = receptive_field(width, unit: linear_unit)
  return field(x)
}

/// One receptive field block for each stage; `field: conv_unit` is a 1 x 1 convolution alone (P3).
block rfb(widths: [int], field: block = receptive_field)(stages: [f32[B, _, _, _]]) -> [f32[B, _, _, _]] {
  for i in 0..len(widths) {
    layer level[i] = field(widths[i])
  }
  return [level[i](stages[i]) for i in 0..len(widths)]
}

# ---------------------------------------------------------------- features inside a decoder

/// A map at the size of another (P2).
block resized(mode: string = "bilinear", corners: bool = true)(x: f32[B, C, _, _], like: f32[B, _, H, W])
  -> f32[B, C, H, W]
{
  return x |> resize([H, W], mode: mode, align_corners: corners)
}

/// 1 x 1 convolution without bias, group norm of one group, GELU (P4).
block project(width: int)(x: f32[B, C, H, W]) -> f32[B, width, H, W] {
  return x |> conv(width, biased: false) |> group_norm(1) |> gelu
}

/// The same with a group norm of up to 32 groups (P4).
block project_groups(width: int)(x: f32[B, C, H, W]) -> f32[B, width, H, W] {
  return x |> conv(width, biased: false) |> group_norm(if width % 32 == 0 then 32 else 4) |> gelu
}

/// The same with a norm over the channels of each pixel (P4).
block project_pixels(width: int)(x: f32[B, C, H, W]) -> f32[B, width, H, W] {
  return x |> conv(width, biased: false) |> channel_norm() |> gelu
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

# ---------------------------------------------------------------- what prototypes ask of the features

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

/// One head without projections: it has no parameters (P6).
block bare_attention(width: int, heads: int)(query: f32[B, Q, width], memory: f32[B, N, width]) -> f32[B, Q, width] {
  let scores = matmul(query, memory, transpose_b: true) * (1.0 / sqrt(width))
  return matmul(softmax(scores, axis: -1), memory)
}

/// Two layers in place of one (P7).
block condense(width: int)(x: f32[..lead, C]) -> f32[..lead, width] {
  layer layers[0] = linear(width)
  layer layers[1] = linear(width)
  return layers[1](layers[0](x) |> gelu)
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

/// S of eq. (11): the similarity in units of its own size in each image (P11, P12).
block in_image(d: f32[B, 1, H, W]) -> f32[B, 1, H, W] {
  return d / (mean(abs(d), axes: [1, 2, 3]) + 1e-6)
}

/// The same in units of its size in the batch: an image's result then depends on its neighbours (P12, released).
block in_batch(d: f32[B, 1, H, W]) -> f32[B, 1, H, W] {
  return d / (mean(abs(d), axes: [0, 1, 2, 3]) + 1e-6)
}

# ---------------------------------------------------------------- heads

/// Logits of the task at hand: a trunk that all tasks share, then the task's own row (P15).
block task_head(t: task, c: int)(y: f32[B, c, H, W]) -> f32[B, 1, H, W] {
  layer spread = conv(c, kernel: 3, padding: 1, groups: c)
  layer norm = group_norm(1)
  let u = norm(spread(y)) |> gelu
  return per t conv(1)(u)
}

/// The same with one table of rows for all tasks: every channel is computed, one is taken (P15, released).
block channel_head(t: task, c: int)(y: f32[B, c, H, W]) -> f32[B, 1, H, W] {
  layer spread = conv(c, kernel: 3, padding: 1, groups: c)
  layer norm = group_norm(1)
  layer rows = conv(len(tasks))
  let all = rows(norm(spread(y)) |> gelu)
  return gather(all, t |> reshape([1]), axis: 1)
}

/// A whole head for each task (P15).
block own_head(t: task, c: int)(y: f32[B, c, H, W]) -> f32[B, 1, H, W] {
  return per t shared_head(t, c)(y)
}

/// One head for all tasks (P15).
block shared_head(t: task, c: int)(y: f32[B, c, H, W]) -> f32[B, 1, H, W] {
  layer spread = conv(c, kernel: 3, padding: 1, groups: c)
  layer norm = group_norm(1)
  layer row = conv(1)
  return row(norm(spread(y)) |> gelu)
}

# ---------------------------------------------------------------- decoders

/// Prototype-guided task decoder, eq. (4) to (13). Its defaults are the register's. The experts of eq. (10) share one input, so their weighted sum is
/// one depthwise convolution by the weighted kernel.
/// `bank` says what prototypes are (P23, P25): "ema", written by `law`; "kept", as drawn, written by nothing; "param", a parameter; "made", by a trained MLP from the task.
block pgtd(
  t: task,
  c: int,
  experts: int = 6,
  alpha: float = 0.5,
  lambda_p: float = 5.0,
  heads: int = 4,
  fused: bool = true,
  rise: block = resized(),
  entry: block = project,
  bank: string = "ema",
  law: block = pooled(),
  law_reads_scale: bool = true,
  attention_reads_scale: bool = true,
  attention_form: block = cross_attention,
  summary: block = linear,
  kernel: int = 3,
  blended: bool = true,
  similarity: block = sigmoid,
  centre: block = in_image,
  cooled: bool = true,
  amplifier_per_task: bool = false,
  head_form: block = task_head
)(low: f32[B, _, H, W], high: f32[B, _, _, _])
  -> {
    logits: f32[B, 1, H, W],
    feature: f32[B, c, H, W],
    scaled: f32[B, c, H, W],
    prototypes: f32[2, c],
    bank: f32[_, 2, c]
  }
  where c % 4 == 0
  where c % heads == 0
  where kernel % 2 == 1
{
  layer from_high = entry(if fused then c else c / 2)  # P4
  layer from_low = entry(c / 2)
  let hi = from_high(rise(high, low))  # P2
  let lo = from_low(low)
  if fused {
    layer join = entry(c)
    let f = join(concat([hi, lo], axis: 1))  # eq. 4, P1
  } else {
    let f = concat([lo, hi], axis: 1)  # P1
  }
  layer scale = scale_encoder(c)
  let s = scale(f)

  if bank == "ema" {
    prototypes proto per t: f32[2, c] {  # row 0 foreground, row 1 background
      init = embedding(64)(t) |> feed_forward(2 * c, out: 2 * c) |> reshape([2, c]) |> l2_normalize(axis: 1)  # eq. 5, P24, P25
      update = law(proto, if law_reads_scale then s else f, truth)  # eq. 12, 13, P18 to P21
    }
  } else if bank == "kept" {
    state proto per t: f32[2, c] {
      init = embedding(64)(t) |> feed_forward(2 * c, out: 2 * c) |> reshape([2, c]) |> l2_normalize(axis: 1)
    }
  } else if bank == "param" {
    let drawn = { proto: per t param f32[2, c] init normal(std: 1.0) }
    let proto = drawn.proto |> l2_normalize(axis: 1)
  } else {
    let proto = embedding(64)(t) |> feed_forward(2 * c, out: 2 * c) |> reshape([2, c]) |> l2_normalize(axis: 1)
  }

  layer attend = attention_form(c, heads)  # eq. 6, P6
  let a = attend(proto |> reshape([1, 2, c]) |> expand([B, 2, c]), (if attention_reads_scale then s else f) |> tokens)  # P5
  layer condition = summary(c)  # eq. 7, P7
  let z = condition(concat([a[:, 0], a[:, 1], a[:, 0] - a[:, 1]], axis: 1))

  layer generate = feed_forward(2 * c, out: experts * c * kernel ^ 2)
  layer choose = linear(experts)
  if blended {
    param mix: f32[] init 0.3
  }
  let made = generate(z) |> reshape([B, experts, c * kernel ^ 2])
  let weights = softmax(choose(z), axis: 1) |> reshape([B, experts, 1])
  let weighted = sum(weights * made, axes: [1]) |> reshape([B, c, kernel, kernel])  # P8
  let kernels = if blended then mix * weighted + (1.0 - mix) * identity_kernel(kernel)() else weighted  # P9

  let d = cosine(s, proto[0] |> reshape([1, c, 1, 1])) - cosine(s, proto[1] |> reshape([1, c, 1, 1]))  # eq. 8
  let y = depthwise(f * (1.0 + alpha * similarity(d)), kernels)  # eq. 9, 10, P10, P16
  layer head = head_form(t, c)  # P15
  if lambda_p == 0.0 {
    let logits = head(y)  # P17
  } else {
    if amplifier_per_task {
      let own = { rho: per t param f32[] init 1.0 }  # P14
      let strength = own.rho
    } else {
      param rho: f32[] init 1.0
      let strength = rho
    }
    if cooled {
      param sharpness: f32[] init 0.1
      let steep = tanh(centre(d) / maximum(sharpness, 1e-3))  # P11, P12, P13
    } else {
      let steep = tanh(centre(d) / 0.1)
    }
    let logits = head(y) + lambda_p * strength * steep  # eq. 11, P17
  }
  let every = if bank == "ema" or bank == "kept" then proto[*] else proto |> reshape([1, 2, c])
  return { logits: logits, feature: y, scaled: s, prototypes: proto, bank: every }
}

/// A U-shaped step with the same inputs and results: two 3 x 3 convolutions on the joined features, no prototypes.
block fuse_decoder(c: int, head: block)(low: f32[B, _, H, W], high: f32[B, _, _, _])
  -> { logits: f32[B, 1, H, W], feature: f32[B, c, H, W] }
{
  layer first = conv_unit(c, kernel: 3, padding: 1)
  layer second = conv_unit(c, kernel: 3, padding: 1)
  let y = second(first(concat([high |> resize([H, W], mode: bilinear, align_corners: true), low], axis: 1)))
  let logits = head(y)
  return { logits: logits, feature: y }
}

/// What is left of a decoder whose prototypes are switched off: entries, join and head. No attention, no generated kernels, no similarity.
block plain_fuse(
  c: int,
  head: block,
  rise: block = resized(),
  entry: block = project
)(low: f32[B, _, H, W], high: f32[B, _, _, _])
  -> { logits: f32[B, 1, H, W], feature: f32[B, c, H, W] }
{
  layer from_high = entry(c)
  layer from_low = entry(c / 2)
  layer join = entry(c)
  let y = join(concat([from_high(rise(high, low)), from_low(low)], axis: 1))
  let logits = head(y)
  return { logits: logits, feature: y }
}

/// Several logits of one size as one, weighted by the task's own shares (O1, released): begins as mostly the first.
block logit_fuser(t: task)(logits: [f32[B, 1, H, W]]) -> f32[B, 1, H, W]
  with n = len(logits)
{
  param weight: f32[len(tasks), n] init [[if i == 0 then 2.0 else 0.0 for i in 0..n] for k in 0..len(tasks)]
  let shares = softmax(gather(weight, t, axis: 0) |> reshape([1, n, 1, 1]), axis: 1)
  return sum(concat(logits, axis: 1) * shares, axes: [1])
}

/// Logits of several sizes, fused at `side`.
block fuse_at(t: task, side: int)(logits: [f32[B, 1, _, _]]) -> f32[B, 1, side, side] {
  layer fuser = logit_fuser(t)
  return fuser([l |> resize([side, side], mode: bilinear, align_corners: true) for l in logits])
}
