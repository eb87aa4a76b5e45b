# Parts of the U-shaped networks. The networks themselves are models beside this folder.
edition 1

/// Two 3 x 3 convolutions without bias, each with batch norm and ReLU.
block double_conv(width: int)(x: f32[B, C, H, W]) -> f32[B, width, H, W] {
  layer conv1 = conv(width, kernel: 3, padding: 1, biased: false)
  layer norm1 = batch_norm()
  layer conv2 = conv(width, kernel: 3, padding: 1, biased: false)
  layer norm2 = batch_norm()
  let u = norm1(conv1(x)) |> relu
  return norm2(conv2(u)) |> relu
}

/// A map at its skip's size, joined to it: the way up of SAM2-UNet.
block rise_join(width: int)(x: f32[B, C, _, _], skip: f32[B, _, H, W]) -> f32[B, width, H, W] {
  layer join = double_conv(width)
  return join(concat([skip, x |> resize([H, W], mode: bilinear, align_corners: true)], axis: 1))
}

/// One step of that way as a decoder: logits by a 1 x 1 convolution that all tasks share.
block up_decoder(width: int)(low: f32[B, width, H, W], high: f32[B, width, _, _])
  -> { logits: f32[B, 1, H, W], feature: f32[B, width, H, W] }
{
  layer up = rise_join(width)
  layer head = conv(1)
  let y = up(high, low)
  return { logits: head(y), feature: y }
}
