# TP-Seg on the smallest SAM 2 encoder, Hiera-T, at 352 px: the blocks, the variants and the recipe of `tpseg.tps` at a size that a machine without a
# GPU trains. What differs is the encoder (12 blocks of 96 to 768 channels), the widths and the side; letters of the register are explained there.
#
# Parameters, T tasks: trunk 26,849,472; adapters on block widths that sum to 4,032: a route 2 x 32 x 4,032 = 258,048, shared and a task's own; group
# norms 8,064; scales and gate logits 12 T each; receptive fields and decoders by the formulas of `tpseg.tps`.
edition 1
from std.hiera import hiera, sam2
from std.gate import cumulative_sigmoid
from std.peft import bottleneck, low_rank, residual, route, scaled
from std.pgtd import channel_head, fuse_at, fuse_decoder, pgtd, plain_fuse, receptive_field_batch, rfb, task_head
from std.prototypes import pooled
from std.unet import up_decoder
from std.loss import structure

/// Side of the square input in pixels (D1).
setting size: int = 352 where size % 32 == 0
/// Hidden width of an adapter's route (G5).
setting hidden: int = 32
/// M of eq. (10).
setting experts: int = 6
/// Weight of the similarity in eq. (9) (P16).
setting alpha: float = 0.5
/// Weight of the prototypes' logits in eq. (11) (P17); 0 leaves them out.
setting lambda_p: float = 5.0
/// Of the prototypes' moving average (P18).
setting momentum: float = 0.9
/// Side of the generated kernels (P8: 5).
setting kernel: int = 3 where kernel % 2 == 1

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

model TPSegTiny(image: f32[B, 3, size, size], t: task of lesions) -> f32[B, 1, size, size] {
  encoder enc = hiera(embed: 96, heads: 1, depths: [1, 2, 7, 2], global: [5, 7, 9], windows: [8, 4, 14, 7])(image)
    with { frozen: true, weights: sam2 }

  gate split per t over enc.blocks = cumulative_sigmoid(
    logits: param f32[12] init zeros,
    temperature: anneal(1.0, 0.3, over: epochs)
  )
  adapter tca before enc.blocks[* as b] = route(
    shared: bottleneck(hidden),
    specific: per t bottleneck(hidden),
    weight: split[b],
    scale: per t scaled()
  )

  let levels = enc.stages |> rfb([32, 64, 96, 128])
  decoder d3 = pgtd(t, 96, experts, alpha, lambda_p, kernel: kernel, law: pooled(momentum))(levels[2], levels[3])
  decoder d2 = pgtd(t, 64, experts, alpha, lambda_p, kernel: kernel, law: pooled(momentum))(levels[1], d3.feature)
  decoder d1 = pgtd(t, 64, experts, alpha, lambda_p, kernel: kernel, law: pooled(momentum))(levels[0], d2.feature)

  let logits = d1.logits |> resize([size, size], mode: bilinear, align_corners: true)
  return logits
}

train paper of TPSegTiny {
  loss = structure(d1.logits, truth) + structure(d2.logits, truth) + structure(d3.logits, truth)
  optimizer = adam(lr: 3e-5)
  sampler = inverse_frequency(by: t)
  epochs = 30, batch = 8
  augment = [resize(size), flip(horizontal: 0.5, vertical: 0.5), imagenet_normalize]
  validate = every(1, keep: best(dice))
}

# ---------------------------------------------------------------- Table 3, block A: the parts

/// SAM 2 under a U-shaped decoder with skips: no adapters, no prototypes; nothing reads the task.
variant A1 "Baseline" of paper {
  remove TPSegTiny.tca
  remove TPSegTiny.split
  set TPSegTiny.levels = enc.stages |> rfb([32, 32, 32, 32], field: receptive_field_batch)
  set TPSegTiny.d3 = up_decoder(32)(levels[2], levels[3])
  set TPSegTiny.d2 = up_decoder(32)(levels[1], d3.feature)
  set TPSegTiny.d1 = up_decoder(32)(levels[0], d2.feature)
  set paper.drop_last = true
}

variant A2 "w/o TCA" of paper {
  remove TPSegTiny.tca
  remove TPSegTiny.split
}

/// Plain decoders of the same widths, each with the task's own row.
variant A3 "w/o PGTD" of paper {
  set TPSegTiny.d3 = fuse_decoder(96, head: task_head(t, 96))(levels[2], levels[3])
  set TPSegTiny.d2 = fuse_decoder(64, head: task_head(t, 64))(levels[1], d3.feature)
  set TPSegTiny.d1 = fuse_decoder(64, head: task_head(t, 64))(levels[0], d2.feature)
}

/// The other reading of A3: the decoder of A1 over the adapters. Its batch norm wants batches of one task.
variant A3_unet "w/o PGTD, U-shaped" of paper {
  set TPSegTiny.levels = enc.stages |> rfb([32, 32, 32, 32], field: receptive_field_batch)
  set TPSegTiny.d3 = up_decoder(32)(levels[2], levels[3])
  set TPSegTiny.d2 = up_decoder(32)(levels[1], d3.feature)
  set TPSegTiny.d1 = up_decoder(32)(levels[0], d2.feature)
  set paper.sampler = inverse_frequency(by: t, one_task: true)
  set paper.drop_last = true
}

variant A4 "Full (TP-Seg)" of paper { alias }

/// The same network, trained once for each task by itself: see `repeat` in the study.
variant A5 "Separate Training" of paper { alias }

# ---------------------------------------------------------------- Table 3, block B: the adapter

/// One pair of low rank beside every qkv, shared by all tasks.
variant B1 "LoRA" of paper {
  remove TPSegTiny.tca
  remove TPSegTiny.split
  insert adapter lora beside enc.blocks[*].attn.qkv = low_rank(rank: 32)
}

/// One adapter of the same shape for all tasks.
variant B2 "Adapter" of paper {
  set TPSegTiny.tca = residual(bottleneck(hidden))
  remove TPSegTiny.split
}

/// The shared route, still with the task's own scale.
variant B3 "w/o Task-Specific Route" of paper {
  set TPSegTiny.tca = residual(bottleneck(hidden), scale: per t scaled())
  remove TPSegTiny.split
}

/// The task's own route alone, which is what the released code builds.
variant B4 "w/o Share Route" of paper {
  set TPSegTiny.tca = residual(per t bottleneck(hidden), scale: per t scaled())
  remove TPSegTiny.split
}

# ---------------------------------------------------------------- Table 3, block C: the numbers

variant C1 "lambda_p=2.5;alpha=0.5;M=6" of paper { set lambda_p = 2.5 }
variant C2 "lambda_p=10;alpha=0.5;M=6" of paper { set lambda_p = 10.0 }

variant C3 "lambda_p=5.0;alpha=0.6;M=8" of paper {
  set alpha = 0.6
  set experts = 8
}

variant C4 "lambda_p=5.0;alpha=0.5;M=4" of paper { set experts = 4 }
variant C5 "lambda_p=5.0;alpha=0.5;M=8" of paper { set experts = 8 }
variant C6 "lambda_p=5.0;alpha=0.5;M=6" of paper { alias }

# ---------------------------------------------------------------- Table 4: one decoder less

variant no_pgtd "w/o PGTD" of A3 { alias }

variant no_pgtd1 "w/o PGTD1" of paper {
  set TPSegTiny.d1 = plain_fuse(64, head: task_head(t, 64))(levels[0], d2.feature)
}

variant no_pgtd2 "w/o PGTD2" of paper {
  set TPSegTiny.d2 = plain_fuse(64, head: task_head(t, 64))(levels[1], d3.feature)
}

variant no_pgtd3 "w/o PGTD3" of paper {
  set TPSegTiny.d3 = plain_fuse(96, head: task_head(t, 96))(levels[2], levels[3])
}

variant tp_seg "TP-Seg" of paper { alias }

# The other reading: the stage is left out, and the next takes what it would have taken.
variant skip_pgtd1 "w/o PGTD1, left out" of paper {
  set TPSegTiny.levels = enc.stages[1:4] |> rfb([64, 96, 128])
  set TPSegTiny.d3 = pgtd(t, 96, experts, alpha, lambda_p, kernel: kernel, law: pooled(momentum))(levels[1], levels[2])
  set TPSegTiny.d2 = pgtd(t, 64, experts, alpha, lambda_p, kernel: kernel, law: pooled(momentum))(levels[0], d3.feature)
  remove TPSegTiny.d1
  set TPSegTiny.logits = d2.logits |> resize([size, size], mode: bilinear, align_corners: true)
  set paper.loss = structure(d2.logits, truth) + structure(d3.logits, truth)
}

variant skip_pgtd2 "w/o PGTD2, left out" of paper {
  set TPSegTiny.levels = [enc.stages[0], enc.stages[2], enc.stages[3]] |> rfb([32, 96, 128])
  set TPSegTiny.d3 = pgtd(t, 96, experts, alpha, lambda_p, kernel: kernel, law: pooled(momentum))(levels[1], levels[2])
  remove TPSegTiny.d2
  set TPSegTiny.d1 = pgtd(t, 64, experts, alpha, lambda_p, kernel: kernel, law: pooled(momentum))(levels[0], d3.feature)
  set paper.loss = structure(d1.logits, truth) + structure(d3.logits, truth)
}

variant skip_pgtd3 "w/o PGTD3, left out" of paper {
  set TPSegTiny.levels = [enc.stages[0], enc.stages[1], enc.stages[3]] |> rfb([32, 64, 128])
  remove TPSegTiny.d3
  set TPSegTiny.d2 = pgtd(t, 64, experts, alpha, lambda_p, kernel: kernel, law: pooled(momentum))(levels[1], levels[2])
  set paper.loss = structure(d1.logits, truth) + structure(d2.logits, truth)
}

# ---------------------------------------------------------------- the register's choices of outputs

/// O1, O2: a fourth head on the coarsest features, and the logits of all four weighed by the task.
variant fused "task-weighted outputs" of paper {
  set TPSegTiny.logits = [d1.logits, d2.logits, d3.logits, channel_head(t, 128)(levels[3])] |> fuse_at(t, size)
  set paper.loss = structure(logits, truth)
    + structure(d1.logits, truth)
    + structure(d2.logits, truth)
    + structure(d3.logits, truth)
}

# ---------------------------------------------------------------- studies

study table3 of paper {
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

study table4 of paper {
  rows = [no_pgtd, no_pgtd1, no_pgtd2, no_pgtd3, tp_seg], baseline = tp_seg
  seeds = 3
  columns = [{ label: "AVG_Dice", by: [dice] }, { label: "AVG_mIoU", by: [miou] }]
  published = "tables/table4.csv"
}
