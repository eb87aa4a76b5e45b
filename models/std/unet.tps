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
