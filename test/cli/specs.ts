// A small network that trains in seconds: two tasks of the phantom data, a task's own head, 32 px.
export const TINY = `edition 1
from std.loss import structure

setting width: int = 8 where width % 4 == 0

tasks lesions {
  TN "Thyroid nodule" { folder: "thyroid_nodule" }
  SL "Skin lesion" { folder: "skin_lesion" }
}

model Tiny(image: f32[B, 3, 32, 32], t: task of lesions) -> f32[B, 1, 32, 32] {
  layer down = conv(width, kernel: 4, stride: 4)
  let y = down(image) |> group_norm(4) |> gelu
  let logits = y |> per t conv(1) |> resize([32, 32], mode: bilinear)
  return logits
}

train main of Tiny {
  loss      = structure(logits, truth)
  optimizer = adam(lr: 1e-2)
  sampler   = inverse_frequency(by: t)
  epochs = 2, batch = 4
  augment   = [resize(32), flip(horizontal: 0.5), imagenet_normalize]
}

variant wide "twice the width" of main {
  set width = 16
}
`;
