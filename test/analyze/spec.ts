// A small network with a gate over four blocks and two declarations of prototypes; three tasks of the phantom data, 32 px.
export const ROLES = `edition 1
from std.gate import cumulative_sigmoid
from std.loss import structure
from std.peft import bottleneck, route
from std.prototypes import pooled

tasks lesions {
  TN "Thyroid nodule" { folder: "thyroid_nodule" }
  CP "Colon polyp" { folder: "colon_polyp" }
  SL "Skin lesion" { folder: "skin_lesion" }
}

block body(width: int, depth: int)(x: f32[B, C, H, W]) -> { features: f32[B, width, _, _] } {
  layer stem = conv(width, kernel: 4, stride: 4)
  carry y = stem(x) |> channels_last
  for i in 0..depth {
    layer blocks[i] = feed_forward(2 * width)
    next y = y + blocks[i](y)
  }
  return { features: y |> channels_first }
}

block head(t: task, c: int)(x: f32[B, c, H, W]) -> { logits: f32[B, 1, H, W] } {
  prototypes proto per t: f32[2, c] {
    init   = embedding(c)(t) |> feed_forward(8, out: 2 * c) |> reshape([2, c]) |> l2_normalize(axis: 1)
    update = pooled()(old, x, truth)
  }
  let near = cosine(x, proto[0] |> reshape([1, c, 1, 1])) - cosine(x, proto[1] |> reshape([1, c, 1, 1]))
  return { logits: conv(1)(x) + 5.0 * near }
}

model Roles(image: f32[B, 3, 32, 32], t: task of lesions) -> f32[B, 1, 32, 32] {
  encoder enc = body(8, 4)(image)
  gate split per t over enc.blocks = cumulative_sigmoid(logits: param f32[4] init zeros, temperature: anneal(1.0, 0.5, over: epochs))
  adapter own before enc.blocks[* as b] = route(shared: bottleneck(4), specific: per t bottleneck(4), weight: split[b])
  decoder d2 = head(t, 8)(enc.features)
  decoder d1 = head(t, 8)(enc.features)
  let logits = (d1.logits + d2.logits) |> resize([32, 32], mode: bilinear)
  return logits
}

train main of Roles {
  loss      = structure(logits, truth)
  optimizer = adam(lr: 1e-2)
  sampler   = inverse_frequency(by: t, one_task: true)
  epochs = 2, batch = 4
  augment   = [resize(32), flip(horizontal: 0.5), imagenet_normalize]
}

variant plain "without prototypes & gate" of main {
  remove Roles.own
  remove Roles.split
  set Roles.d2 = { logits: enc.features |> conv(1) }
  set Roles.d1 = { logits: enc.features |> per t conv(1) }
}
`;
