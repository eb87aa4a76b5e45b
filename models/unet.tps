# U-Net as the field runs it: batch norm, transposed convolutions, 31,037,633 parameters for 3 channels in and 1 out.
# It reads no task: one network segments whatever kind of picture it is given.
edition 1
from std.unet import double_conv
from std.loss import structure

/// Side of the square input in pixels; four halvings.
setting size: int = 128 where size % 16 == 0
/// Channels at full resolution; each halving doubles them.
setting width: int = 64

tasks lesions {
  WA "Wet AMD" { modality: oct, folder: "wet_amd" }
  BT "Brain tumor" { modality: mri, folder: "brain_tumor" }
  ADC "Adenocarcinoma" { modality: histology, folder: "adenocarcinoma" }
  TN "Thyroid nodule" { modality: ultrasound, folder: "thyroid_nodule" }
  CP "Colon polyp" { modality: endoscopy, folder: "colon_polyp" }
  LI "Lung infection" { modality: ct, folder: "lung_infection" }
  BL "Breast lesion" { modality: ultrasound, folder: "breast_lesion" }
  SL "Skin lesion" { modality: dermoscopy, folder: "skin_lesion" }
}

/// Doubles the side, halves the channels, joins the features of the way down.
block rise(width: int)(x: f32[B, 2 * width, _, _], skip: f32[B, width, H, W]) -> f32[B, width, H, W] {
  layer grow = conv_transpose(width, kernel: 2, stride: 2)
  layer join = double_conv(width)
  return join(concat([skip, grow(x)], axis: 1))
}

model UNet(image: f32[B, 3, size, size]) -> f32[B, 1, size, size] {
  layer inc = double_conv(width)
  carry x = inc(image)
  carry skips = [x]
  for i in 1..5 {
    layer down[i] = double_conv(width * 2 ^ i)
    next x = down[i](x |> max_pool(2))
    next skips = skips + [x]
  }
  for i in 1..5 {
    layer up[i] = rise(width * 2 ^ (4 - i))
    next x = up[i](x, skips[4 - i])
  }
  layer out = conv(1)
  let logits = out(x)
  return logits
}

train main of UNet {
  loss = structure(logits, truth)
  optimizer = adam(lr: cosine(1e-3, to: 1e-5))
  sampler = inverse_frequency(by: t)
  epochs = 30, batch = 8, drop_last = true
  augment = [resize(size), flip(horizontal: 0.5, vertical: 0.5), imagenet_normalize]
  validate = every(1, keep: best(dice))
}
