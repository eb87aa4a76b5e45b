// A spec with a frozen encoder that is worth keeping features of, for the pictures of tiny.ts.
export const FROZEN_SPEC = `edition 1
from std.loss import structure

tasks kinds {
  AA "A" { folder: "aa" }
  BB "B" { folder: "bb" }
  CC "C" { folder: "cc" }
}

block stem()(x: f32[B, 3, H, W]) -> f32[B, 8, H / 2, W / 2] {
  return x |> conv(8, kernel: 3, padding: 1, stride: 2) |> gelu |> conv(8, kernel: 3, padding: 1) |> gelu
}

model Small(image: f32[B, 3, 16, 16], t: task of kinds) -> f32[B, 1, 16, 16] {
  encoder enc = stem()(image) with { frozen: true }
  let y = enc |> conv(4) |> gelu
  let logits = y |> per t conv(1) |> resize([16, 16], mode: bilinear)
  return logits
}

train main of Small {
  loss = structure(logits, truth)
  optimizer = adam(lr: 1e-2)
  sampler = inverse_frequency(by: t)
  epochs = 4, batch = 4
  clip = 1.0
  augment = [resize(16), flip(horizontal: 0.5, vertical: 0.5), imagenet_normalize]
}

variant deep "one layer more" of main {
  set Small.y = enc |> conv(4) |> gelu |> conv(4) |> gelu
}

study depths of main { rows = [main, deep], columns = [{ label: "AVG_Dice", by: [dice] }] }
`;
