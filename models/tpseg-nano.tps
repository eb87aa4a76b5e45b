# TP-Seg in miniature: a small Hiera of the same block, adapters with a shared and a task's own route under a split gate, three
# prototype-guided decoders. `pretrain` makes the encoder, `main` freezes it; a run carries tensors over by path (`enc.…`).
edition 1
from std.hiera import hiera
from std.gate import cumulative_sigmoid
from std.peft import bottleneck, residual, route, scaled
from std.pgtd import rfb, pgtd, fuse_decoder, task_head
from std.loss import structure

/// Side of the square input in pixels.
setting size: int = 128 where size % 32 == 0
/// Hidden width of each adapter route.
setting hidden: int = 16
/// Width of the decoders.
setting width: int = 32
setting experts: int = 6
setting alpha: float = 0.5
setting lambda_p: float = 5.0

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

/// The encoder under a plain decoder, to be trained whole.
model NanoPretrain(image: f32[B, 3, size, size]) -> f32[B, 1, size, size] {
  encoder enc = hiera(embed: 32, heads: 1, depths: [1, 2, 3, 1], global: [4], windows: [8, 4, 8, 4])(image)
  let [c1, c2, c3, c4] = enc.stages
  decoder p3 = fuse_decoder(width, head: conv(1))(c3, c4)
  decoder p2 = fuse_decoder(width, head: conv(1))(c2, p3.feature)
  decoder p1 = fuse_decoder(width, head: conv(1))(c1, p2.feature)
  return p1.logits |> resize([size, size], mode: bilinear, align_corners: true)
}

model Nano(image: f32[B, 3, size, size], t: task of lesions) -> f32[B, 1, size, size] {
  encoder enc = hiera(embed: 32, heads: 1, depths: [1, 2, 3, 1], global: [4], windows: [8, 4, 8, 4])(image)
    with { frozen: true, weights: pretrain }
  gate split per t over enc.blocks = cumulative_sigmoid(
    logits: param f32[7] init zeros,
    temperature: anneal(1.0, 0.3, over: epochs)
  )
  adapter tca before enc.blocks[* as b] = route(
    shared: bottleneck(hidden),
    specific: per t bottleneck(hidden),
    weight: split[b],
    scale: per t scaled()
  )
  let [c1, c2, c3, c4] = enc.stages |> rfb([16, 24, 32, 48])
  decoder d3 = pgtd(t, width, experts, alpha, lambda_p)(c3, c4)
  decoder d2 = pgtd(t, width, experts, alpha, lambda_p)(c2, d3.feature)
  decoder d1 = pgtd(t, width, experts, alpha, lambda_p)(c1, d2.feature)
  return d1.logits |> resize([size, size], mode: bilinear, align_corners: true)
}

train pretrain of NanoPretrain {
  loss = structure(p1.logits, truth) + structure(p2.logits, truth) + structure(p3.logits, truth)
  optimizer = adamw(lr: cosine(2e-3, to: 1e-5, warmup: 40), weight_decay: 0.01)
  sampler = inverse_frequency(by: t)
  epochs = 8, batch = 8
  clip = 1.0
  augment = [resize(size), flip(horizontal: 0.5, vertical: 0.5), imagenet_normalize]
  validate = every(4, keep: best(dice))
}

train main of Nano {
  loss = structure(d1.logits, truth) + structure(d2.logits, truth) + structure(d3.logits, truth)
  optimizer = adam(lr: cosine(2e-3, to: 1e-5, warmup: 40))
  sampler = inverse_frequency(by: t, one_task: true)
  epochs = 12, batch = 8
  clip = 1.0
  augment = [resize(size), flip(horizontal: 0.5, vertical: 0.5), imagenet_normalize]
  validate = every(4, keep: best(dice))
}

variant no_adapters "without adapters" of main {
  remove Nano.tca
  remove Nano.split
}

variant no_prototypes "without prototypes" of main {
  set Nano.d3 = fuse_decoder(width, head: task_head(t, width))(c3, c4)
  set Nano.d2 = fuse_decoder(width, head: task_head(t, width))(c2, d3.feature)
  set Nano.d1 = fuse_decoder(width, head: task_head(t, width))(c1, d2.feature)
}

variant no_gate "without gate: each task its own route" of main {
  set Nano.tca = residual(per t bottleneck(hidden), scale: per t scaled())
  remove Nano.split
}
