# The SAM 2 image encoder's trunk, Hiera, of any size: four feature maps from one image.
# Paths mirror the official names, so that a checkpoint's keys map one to one. The neck lives elsewhere.
edition 1

/// Self-attention in windows of `window` x `window` tokens; 0 is one window over all. Windows are filled with zeros to the right and
/// below, and those tokens are keys like any other. With `q_pool` the queries are pooled 2 x 2 inside each window.
block window_attention(dim_out: int, heads: int, window: int, q_pool: bool)(x: f32[B, H, W, C])
  -> f32[B, H / s, W / s, dim_out]
  with s = if q_pool then 2 else 1
  where dim_out % heads == 0
{
  layer qkv = linear(3 * dim_out)
  layer proj = linear(dim_out)
  let d = dim_out / heads
  let wh = if window == 0 then H else window
  let ww = if window == 0 then W else window
  let below = (wh - H % wh) % wh
  let right = (ww - W % ww) % ww
  let rows = (H + below) / wh
  let columns = (W + right) / ww
  let n = B * rows * columns

  let filled = if below + right > 0 then pad(x, before: [0, 0, 0, 0], after: [0, below, right, 0]) else x
  let windows = filled
    |> reshape([B, rows, wh, columns, ww, C])
    |> transpose([0, 1, 3, 2, 4, 5])
    |> reshape([n, wh * ww, C])
  let all = qkv(windows) |> reshape([n, wh * ww, 3, heads, d])
  let q = all[:, :, 0]
  let pooled = if q_pool
    then q
      |> reshape([n, wh, ww, dim_out])
      |> channels_first
      |> max_pool(2)
      |> channels_last
      |> reshape([n, wh / s * (ww / s), heads, d])
    else q
  let y = attention(pooled, all[:, :, 1], all[:, :, 2]) |> reshape([n, wh / s * (ww / s), dim_out])
  let joined = proj(y)
    |> reshape([B, rows, columns, wh / s, ww / s, dim_out])
    |> transpose([0, 1, 3, 2, 4, 5])
    |> reshape([B, (H + below) / s, (W + right) / s, dim_out])
  return if below + right > 0 then joined[:, 0:H / s, 0:W / s] else joined
}

/// One block, channels last. `proj` exists only where the width changes, and acts on the normalised input.
block hiera_block(dim_out: int, heads: int, window: int, q_pool: bool)(x: f32[B, H, W, C])
  -> f32[B, H / s, W / s, dim_out]
  with s = if q_pool then 2 else 1
{
  layer norm1 = layer_norm(eps: 1e-6)
  layer attn = window_attention(dim_out, heads, window, q_pool)
  layer norm2 = layer_norm(eps: 1e-6)
  layer mlp = feed_forward(4 * dim_out)
  let u = norm1(x)
  if C == dim_out {
    let skip = x
  } else {
    layer proj = linear(dim_out)
    let wide = proj(u)
    let skip = if q_pool then wide |> channels_first |> max_pool(2) |> channels_last else wide
  }
  let y = skip + attn(u)
  return y + mlp(norm2(y))
}

/// `global` numbers the blocks that attend over the whole map. The window's size lags: the first block of a stage uses that of the
/// stage before. Stages come out at strides 4, 8, 16, 32.
block hiera(
  embed: int,
  heads: int,
  depths: [int],
  global: [int],
  windows: [int],
  background: int = 7
)(image: f32[B, 3, H, W])
  -> { stages: [f32[B, _, _, _]] }
  where H % 32 == 0
  where W % 32 == 0
  where H / 4 % windows[0] == 0
  where W / 4 % windows[0] == 0
{
  layer patch_embed = conv(embed, kernel: 7, stride: 4, padding: 3)
  param pos_embed: f32[1, embed, background, background] init truncated_normal(std: 0.02)
  param pos_embed_window: f32[1, embed, windows[0], windows[0]] init truncated_normal(std: 0.02)
  let position = resize(pos_embed, [H / 4, W / 4], mode: bicubic)
    + tile(H / 4 / windows[0], W / 4 / windows[0])(pos_embed_window)
  carry x = (patch_embed(image) + position) |> channels_last
  carry n = 0
  for stage in 0..len(depths) {
    for i in 0..depths[stage] {
      let first = stage > 0 and i == 0
      layer blocks[n] = hiera_block(
        dim_out: embed * 2 ^ stage,
        heads: heads * 2 ^ stage,
        window: if n in global then 0 else if first then windows[stage - 1] else windows[stage],
        q_pool: first
      )
      next x = blocks[n](x)
      next n = n + 1
    }
    emit stages = x |> channels_first
  }
}

/// The official SAM 2 and SAM 2.1 checkpoints.
weights sam2 of hiera {
  "image_encoder.trunk.patch_embed.proj.weight" -> patch_embed.weight
  "image_encoder.trunk.patch_embed.proj.bias" -> patch_embed.bias
  "image_encoder.trunk.pos_embed" -> pos_embed
  "image_encoder.trunk.pos_embed_window" -> pos_embed_window
  "image_encoder.trunk.blocks.{i}.norm1.weight" -> blocks[* as i].norm1.weight
  "image_encoder.trunk.blocks.{i}.norm1.bias" -> blocks[* as i].norm1.bias
  "image_encoder.trunk.blocks.{i}.attn.qkv.weight" -> blocks[* as i].attn.qkv.weight
  "image_encoder.trunk.blocks.{i}.attn.qkv.bias" -> blocks[* as i].attn.qkv.bias
  "image_encoder.trunk.blocks.{i}.attn.proj.weight" -> blocks[* as i].attn.proj.weight
  "image_encoder.trunk.blocks.{i}.attn.proj.bias" -> blocks[* as i].attn.proj.bias
  "image_encoder.trunk.blocks.{i}.norm2.weight" -> blocks[* as i].norm2.weight
  "image_encoder.trunk.blocks.{i}.norm2.bias" -> blocks[* as i].norm2.bias
  "image_encoder.trunk.blocks.{i}.mlp.layers.0.weight" -> blocks[* as i].mlp.layers[0].weight
  "image_encoder.trunk.blocks.{i}.mlp.layers.0.bias" -> blocks[* as i].mlp.layers[0].bias
  "image_encoder.trunk.blocks.{i}.mlp.layers.1.weight" -> blocks[* as i].mlp.layers[1].weight
  "image_encoder.trunk.blocks.{i}.mlp.layers.1.bias" -> blocks[* as i].mlp.layers[1].bias
  "image_encoder.trunk.blocks.{i}.proj.weight" -> blocks[* as i].proj.weight
  "image_encoder.trunk.blocks.{i}.proj.bias" -> blocks[* as i].proj.bias
}
