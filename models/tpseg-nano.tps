# TP-Seg in miniature: a small Hiera of the same block, adapters with a shared and a task's own route under a split gate, three
# prototype-guided decoders. `pretrain` makes the encoder, `main` freezes it; a run carries tensors over by path (`enc.…`).
edition 1
from std.hiera import hiera
from std.gate import cumulative_sigmoid
from std.peft import bottleneck, low_rank, residual, route, scaled
from std.pgtd import channel_head, fuse_at, fuse_decoder, pgtd, plain_fuse, receptive_field_batch, rfb, task_head
from std.unet import up_decoder
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
  let levels = enc.stages |> rfb([16, 24, 32, 48])
  decoder d3 = pgtd(t, width, experts, alpha, lambda_p)(levels[2], levels[3])
  decoder d2 = pgtd(t, width, experts, alpha, lambda_p)(levels[1], d3.feature)
  decoder d1 = pgtd(t, width, experts, alpha, lambda_p)(levels[0], d2.feature)
  let logits = d1.logits |> resize([size, size], mode: bilinear, align_corners: true)
  return logits
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

# ---------------------------------------------------------------- the rows of Tables 3 and 4, named as in `tpseg.tps`

variant A1 "Baseline" of main {
  remove Nano.tca
  remove Nano.split
  set Nano.levels = enc.stages |> rfb([16, 16, 16, 16], field: receptive_field_batch)
  set Nano.d3 = up_decoder(16)(levels[2], levels[3])
  set Nano.d2 = up_decoder(16)(levels[1], d3.feature)
  set Nano.d1 = up_decoder(16)(levels[0], d2.feature)
  set main.drop_last = true
}

variant A2 "w/o TCA" of main {
  remove Nano.tca
  remove Nano.split
}

variant A3 "w/o PGTD" of main {
  set Nano.d3 = fuse_decoder(width, head: task_head(t, width))(levels[2], levels[3])
  set Nano.d2 = fuse_decoder(width, head: task_head(t, width))(levels[1], d3.feature)
  set Nano.d1 = fuse_decoder(width, head: task_head(t, width))(levels[0], d2.feature)
}

variant A3_unet "w/o PGTD, U-shaped" of main {
  set Nano.levels = enc.stages |> rfb([16, 16, 16, 16], field: receptive_field_batch)
  set Nano.d3 = up_decoder(16)(levels[2], levels[3])
  set Nano.d2 = up_decoder(16)(levels[1], d3.feature)
  set Nano.d1 = up_decoder(16)(levels[0], d2.feature)
  set main.drop_last = true
}

variant A4 "Full (TP-Seg)" of main { alias }
variant A5 "Separate Training" of main { alias }

variant B1 "LoRA" of main {
  remove Nano.tca
  remove Nano.split
  insert adapter lora beside enc.blocks[*].attn.qkv = low_rank(rank: 8)
}

variant B2 "Adapter" of main {
  set Nano.tca = residual(bottleneck(hidden))
  remove Nano.split
}

variant B3 "w/o Task-Specific Route" of main {
  set Nano.tca = residual(bottleneck(hidden), scale: per t scaled())
  remove Nano.split
}

variant B4 "w/o Share Route" of main {
  set Nano.tca = residual(per t bottleneck(hidden), scale: per t scaled())
  remove Nano.split
}

variant C1 "lambda_p=2.5;alpha=0.5;M=6" of main { set lambda_p = 2.5 }
variant C2 "lambda_p=10;alpha=0.5;M=6" of main { set lambda_p = 10.0 }

variant C3 "lambda_p=5.0;alpha=0.6;M=8" of main {
  set alpha = 0.6
  set experts = 8
}

variant C4 "lambda_p=5.0;alpha=0.5;M=4" of main { set experts = 4 }
variant C5 "lambda_p=5.0;alpha=0.5;M=8" of main { set experts = 8 }
variant C6 "lambda_p=5.0;alpha=0.5;M=6" of main { alias }

variant no_pgtd "w/o PGTD" of A3 { alias }

variant no_pgtd1 "w/o PGTD1" of main {
  set Nano.d1 = plain_fuse(width, head: task_head(t, width))(levels[0], d2.feature)
}

variant no_pgtd2 "w/o PGTD2" of main {
  set Nano.d2 = plain_fuse(width, head: task_head(t, width))(levels[1], d3.feature)
}

variant no_pgtd3 "w/o PGTD3" of main {
  set Nano.d3 = plain_fuse(width, head: task_head(t, width))(levels[2], levels[3])
}

variant tp_seg "TP-Seg" of main { alias }

# The other reading: the stage is left out, and the next takes what it would have taken.
variant skip_pgtd1 "w/o PGTD1, left out" of main {
  set Nano.levels = enc.stages[1:4] |> rfb([24, 32, 48])
  set Nano.d3 = pgtd(t, width, experts, alpha, lambda_p)(levels[1], levels[2])
  set Nano.d2 = pgtd(t, width, experts, alpha, lambda_p)(levels[0], d3.feature)
  remove Nano.d1
  set Nano.logits = d2.logits |> resize([size, size], mode: bilinear, align_corners: true)
  set main.loss = structure(d2.logits, truth) + structure(d3.logits, truth)
}

variant skip_pgtd2 "w/o PGTD2, left out" of main {
  set Nano.levels = [enc.stages[0], enc.stages[2], enc.stages[3]] |> rfb([16, 32, 48])
  set Nano.d3 = pgtd(t, width, experts, alpha, lambda_p)(levels[1], levels[2])
  remove Nano.d2
  set Nano.d1 = pgtd(t, width, experts, alpha, lambda_p)(levels[0], d3.feature)
  set main.loss = structure(d1.logits, truth) + structure(d3.logits, truth)
}

variant skip_pgtd3 "w/o PGTD3, left out" of main {
  set Nano.levels = [enc.stages[0], enc.stages[1], enc.stages[3]] |> rfb([16, 24, 48])
  remove Nano.d3
  set Nano.d2 = pgtd(t, width, experts, alpha, lambda_p)(levels[1], levels[2])
  set main.loss = structure(d1.logits, truth) + structure(d2.logits, truth)
}

variant fused "task-weighted outputs" of main {
  set Nano.logits = [d1.logits, d2.logits, d3.logits, channel_head(t, 48)(levels[3])] |> fuse_at(t, size)
  set main.loss = structure(logits, truth)
    + structure(d1.logits, truth)
    + structure(d2.logits, truth)
    + structure(d3.logits, truth)
}

# The same under the names that the examples use.
variant no_adapters "without adapters" of A2 { alias }
variant no_prototypes "without prototypes" of A3 { alias }
variant no_gate "without gate: each task its own route" of B4 { alias }

/// Table 2's two rows: one network for all tasks, and one trained for each task by itself.
variant unified "TP-Seg-Unified" of main { alias }
variant general "TP-Seg-General" of main { alias }

study table2 of main {
  rows = [unified, general], repeat = [general]
  seeds = 3
  columns = [
    { label: "{task}_Dice", by: [dice] },
    { label: "{task}_mIoU", by: [miou] },
    { label: "AVG_Dice", by: [dice] },
    { label: "AVG_mIoU", by: [miou] }
  ]
  published = "tables/table2.csv"
}

study table3 of main {
  rows = [A1, A2, A3, A4, A5, B1, B2, B3, B4, C1, C2, C3, C4, C5, C6], repeat = [A5], baseline = A4
  seeds = 3
  columns = [
    { label: "{task}_Dice", by: [dice] },
    { label: "{task}_mIoU", by: [miou] },
    { label: "AVG_Dice", by: [dice] },
    { label: "AVG_mIoU", by: [miou] }
  ]
  published = "tables/table3.csv"
}

study table4 of main {
  rows = [no_pgtd, no_pgtd1, no_pgtd2, no_pgtd3, tp_seg], baseline = tp_seg
  seeds = 3
  columns = [{ label: "AVG_Dice", by: [dice] }, { label: "AVG_mIoU", by: [miou] }]
  published = "tables/table4.csv"
}
