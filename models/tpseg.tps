# TP-Seg as the paper describes it: one network for eight kinds of lesion. A frozen SAM 2 Hiera-L; before each of its 48 blocks an adapter with a shared
# route and one of the task's own, mixed by a split gate that rises along the blocks (eq. 1 to 3); receptive field blocks; three prototype-guided
# decoders from coarse to fine (eq. 4 to 13). Nothing here is dead: every parameter is reached by the loss, every state is read and written.
#
# Parameters, T tasks:
#   Hiera-L trunk, frozen                                                                    212,149,296
#   adapters: the block widths C sum to 26,352 (3 x 144, 6 x 288, 36 x 576, 3 x 1152)
#     a route 2 x 64 C: shared 3,373,056, each task's own                            3,373,056 (1 + T)
#     group norm 2 C                                                                              52,704
#     scales, one a block and task                                                                  48 T
#   gate logits, one a block and task                                                               48 T
#   receptive fields i -> o, 5 i o + 93 o^2 + 30 o:
#     144 -> 64, 288 -> 128, 576 -> 256, 1152 -> 512                                         36,324,480
#   decoders on l (low) and h (high) channels at width c, M experts:
#     entries 0.5 l c + c, h c + 2 c; join 1.5 c^2 + 2 c; scale encoder c^2 + 40 c; attention 4 c^2 + 4 c; z 3 c^2 + c;
#     kernels 2 c^2 + 2 c + 18 M c^2 + 9 M c; choice M c + M; mix, sharpness, rho 3; head 12 c + (c + 1) T
#     d1 (64, 128, 128)                                                       1,994,249 + 129 T
#     d2 (128, 256, 128)                                                      2,014,729 + 129 T
#     d3 (256, 512, 256)                                                      8,027,145 + 257 T
#   sum                                                                 263,935,659 + 3,373,667 T
#   T = 1: 267,309,326; T = 8: 290,924,995.
# The released decoders hold one more scalar each, a softmax over a single scale times one weight, normalised to 1: it can change nothing, so it
# is not here. With those three the sums are 267,309,329 and 290,924,998.
#
# Letters in comments (G1, P11, O2, …) name the points that the paper leaves open, as in std.gate, std.peft and std.pgtd; the value that stands here is
# the default, and the alternatives are listed where they go in.
edition 1
from std.hiera import hiera, sam2
from std.gate import cumulative_sigmoid
from std.peft import bottleneck, low_rank, residual, route, scaled
from std.pgtd import channel_head,
  fuse_at,
  fuse_decoder,
  pgtd,
  plain_fuse,
  receptive_field,
  receptive_field_batch,
  rfb,
  task_head
from std.prototypes import pooled
from std.unet import up_decoder
from std.loss import structure

/// Side of the square input in pixels (D1: 352, 384, 1024).
setting size: int = 512 where size % 32 == 0
/// Hidden width of an adapter's route (G5).
setting hidden: int = 64
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

model TPSeg(image: f32[B, 3, size, size], t: task of lesions) -> f32[B, 1, size, size] {
  # T3: nothing in it trains, and it has no batch norm; one that had would keep its running statistics.
  encoder enc = hiera(embed: 144, heads: 2, depths: [2, 6, 36, 4], global: [23, 33, 43], windows: [8, 4, 16, 8])(image)
    with { frozen: true, weights: sam2 }

  # G1: cumulative_softmax, hazard, position of std.gate; fixed_split(48, at: n); free(naive_cumulative(…)); free(independent(closed: 8)(logits: param f32[40] …))
  # G6: `horizon: 50`, or `over: steps`. G7: clamped(cumulative_sigmoid)(…). G8: hard_outside_training(cumulative_sigmoid)(…).
  # G9: trained throughout; or `after_improvement = ["split"]` in the train block.
  gate split per t over enc.blocks = cumulative_sigmoid(
    logits: param f32[48] init zeros,
    temperature: anneal(1.0, 0.3, over: epochs)
  )
  # G2: `mix: additive`. G3: `norm: identity` and `normed(bottleneck(hidden))` in both routes. G4: `scale: identity`, `scale: per t layer_scale()`.
  adapter tca before enc.blocks[* as b] = route(
    shared: bottleneck(hidden),
    specific: per t bottleneck(hidden),
    weight: split[b],
    scale: per t scaled()
  )

  # P3: `rfb([…], field: conv_unit)`, `field: receptive_field_batch`, or `enc.stages` itself.
  let levels = enc.stages |> rfb([64, 128, 256, 512])
  # Arguments of `pgtd` for the others. P1: fused. P2: rise: resized("bilinear", corners: false), resized("nearest", corners: false). P4: entry: project_groups,
  # project_pixels. P5: attention_reads_scale. P6: attention_form: bare_attention. P7: summary: condense. P9: blended. P10: similarity: identity.
  # P11: centre: sigmoid. P12: centre: in_batch. P13: cooled. P14: amplifier_per_task. P15: head_form: channel_head, own_head, shared_head. P17: lambda_p: 0.0
  # in d2 and d3. P19: law_reads_scale. P20: law: sequential(momentum). P21: law: pooled(momentum, sides: banded_sides). P23: bank: "param". P25: bank: "made".
  # Not here: P8 with dense kernels (2 c times 884,736 weights in one layer), P22 (one machine, f32), P24 at first use (a state begins when a run does).
  decoder d3 = pgtd(t, 256, experts, alpha, lambda_p, kernel: kernel, law: pooled(momentum))(levels[2], levels[3])
  decoder d2 = pgtd(t, 128, experts, alpha, lambda_p, kernel: kernel, law: pooled(momentum))(levels[1], d3.feature)
  decoder d1 = pgtd(t, 128, experts, alpha, lambda_p, kernel: kernel, law: pooled(momentum))(levels[0], d2.feature)

  # O1: the finest decoder alone; variant `fused` weighs all of them. O3: at the input's size.
  let logits = d1.logits |> resize([size, size], mode: bilinear, align_corners: true)
  return logits
}

train paper of TPSeg {
  # O2: all three; d1 alone, or a fourth head and the fused logits (variant `fused`). O4: structure_iou. 4.7: + infonce(0.1)(d1.scaled, d1.prototypes, …),
  # side_margin(…), prototype_cosine(…). 3.3: + w * falls(…)(split), indecision, undecided, too_cold(…)(…), alike(…) of std.gate.
  loss = structure(d1.logits, truth) + structure(d2.logits, truth) + structure(d3.logits, truth)
  optimizer = adam(lr: 3e-5)  # T1: adamw(lr: plateau(5e-4, to: 1e-7), weight_decay: 5e-4)
  sampler = inverse_frequency(by: t)  # T2: shuffle
  epochs = 30, batch = 8
  augment = [resize(size), flip(horizontal: 0.5, vertical: 0.5), imagenet_normalize]  # D2: masks count from one half on; resize(size, masks: nearest)
  validate = every(1, keep: best(dice))  # D3: at `size`; `tpsc eval --at original`. D4: `tpsc eval --miou`
}

# ---------------------------------------------------------------- Table 3, block A: the parts

/// SAM 2 under a U-shaped decoder with skips: no adapters, no prototypes; nothing reads the task.
variant A1 "Baseline" of paper {
  remove TPSeg.tca
  remove TPSeg.split
  set TPSeg.levels = enc.stages |> rfb([64, 64, 64, 64], field: receptive_field_batch)
  set TPSeg.d3 = up_decoder(64)(levels[2], levels[3])
  set TPSeg.d2 = up_decoder(64)(levels[1], d3.feature)
  set TPSeg.d1 = up_decoder(64)(levels[0], d2.feature)
  set paper.drop_last = true
}

variant A2 "w/o TCA" of paper {
  remove TPSeg.tca
  remove TPSeg.split
}

/// Plain decoders of the same widths, each with the task's own row.
variant A3 "w/o PGTD" of paper {
  set TPSeg.d3 = fuse_decoder(256, head: task_head(t, 256))(levels[2], levels[3])
  set TPSeg.d2 = fuse_decoder(128, head: task_head(t, 128))(levels[1], d3.feature)
  set TPSeg.d1 = fuse_decoder(128, head: task_head(t, 128))(levels[0], d2.feature)
}

/// The other reading of A3: the decoder of A1 over the adapters. Its batch norm wants batches of one task.
variant A3_unet "w/o PGTD, U-shaped" of paper {
  set TPSeg.levels = enc.stages |> rfb([64, 64, 64, 64], field: receptive_field_batch)
  set TPSeg.d3 = up_decoder(64)(levels[2], levels[3])
  set TPSeg.d2 = up_decoder(64)(levels[1], d3.feature)
  set TPSeg.d1 = up_decoder(64)(levels[0], d2.feature)
  set paper.sampler = inverse_frequency(by: t, one_task: true)
  set paper.drop_last = true
}

variant A4 "Full (TP-Seg)" of paper { alias }

/// The same network, trained once for each task by itself: see `repeat` in the study.
variant A5 "Separate Training" of paper { alias }

# ---------------------------------------------------------------- Table 3, block B: the adapter

/// One pair of low rank beside every qkv, shared by all tasks; the rank is not said (32 is 3,469,824 parameters).
variant B1 "LoRA" of paper {
  remove TPSeg.tca
  remove TPSeg.split
  insert adapter lora beside enc.blocks[*].attn.qkv = low_rank(rank: 32)
}

/// One adapter of the same shape for all tasks.
variant B2 "Adapter" of paper {
  set TPSeg.tca = residual(bottleneck(hidden))
  remove TPSeg.split
}

/// The shared route, still with the task's own scale.
variant B3 "w/o Task-Specific Route" of paper {
  set TPSeg.tca = residual(bottleneck(hidden), scale: per t scaled())
  remove TPSeg.split
}

/// The task's own route alone, which is what the released code builds.
variant B4 "w/o Share Route" of paper {
  set TPSeg.tca = residual(per t bottleneck(hidden), scale: per t scaled())
  remove TPSeg.split
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
# One stage is left with its entries, their join and its head: the network with that decoder's prototypes switched off.

variant no_pgtd "w/o PGTD" of A3 { alias }

variant no_pgtd1 "w/o PGTD1" of paper {
  set TPSeg.d1 = plain_fuse(128, head: task_head(t, 128))(levels[0], d2.feature)
}

variant no_pgtd2 "w/o PGTD2" of paper {
  set TPSeg.d2 = plain_fuse(128, head: task_head(t, 128))(levels[1], d3.feature)
}

variant no_pgtd3 "w/o PGTD3" of paper {
  set TPSeg.d3 = plain_fuse(256, head: task_head(t, 256))(levels[2], levels[3])
}

variant tp_seg "TP-Seg" of paper { alias }

# The other reading: the stage is left out, and the next takes what it would have taken.
variant skip_pgtd1 "w/o PGTD1, left out" of paper {
  set TPSeg.levels = enc.stages[1:4] |> rfb([128, 256, 512])
  set TPSeg.d3 = pgtd(t, 256, experts, alpha, lambda_p, kernel: kernel, law: pooled(momentum))(levels[1], levels[2])
  set TPSeg.d2 = pgtd(t, 128, experts, alpha, lambda_p, kernel: kernel, law: pooled(momentum))(levels[0], d3.feature)
  remove TPSeg.d1
  set TPSeg.logits = d2.logits |> resize([size, size], mode: bilinear, align_corners: true)
  set paper.loss = structure(d2.logits, truth) + structure(d3.logits, truth)
}

variant skip_pgtd2 "w/o PGTD2, left out" of paper {
  set TPSeg.levels = [enc.stages[0], enc.stages[2], enc.stages[3]] |> rfb([64, 256, 512])
  set TPSeg.d3 = pgtd(t, 256, experts, alpha, lambda_p, kernel: kernel, law: pooled(momentum))(levels[1], levels[2])
  remove TPSeg.d2
  set TPSeg.d1 = pgtd(t, 128, experts, alpha, lambda_p, kernel: kernel, law: pooled(momentum))(levels[0], d3.feature)
  set paper.loss = structure(d1.logits, truth) + structure(d3.logits, truth)
}

variant skip_pgtd3 "w/o PGTD3, left out" of paper {
  set TPSeg.levels = [enc.stages[0], enc.stages[1], enc.stages[3]] |> rfb([64, 128, 512])
  remove TPSeg.d3
  set TPSeg.d2 = pgtd(t, 128, experts, alpha, lambda_p, kernel: kernel, law: pooled(momentum))(levels[1], levels[2])
  set paper.loss = structure(d1.logits, truth) + structure(d2.logits, truth)
}

# ---------------------------------------------------------------- the register's choices of outputs

/// O1, O2: a fourth head on the coarsest features, and the logits of all four weighed by the task.
variant fused "task-weighted outputs" of paper {
  set TPSeg.logits = [d1.logits, d2.logits, d3.logits, channel_head(t, 512)(levels[3])] |> fuse_at(t, size)
  set paper.loss = structure(logits, truth)
    + structure(d1.logits, truth)
    + structure(d2.logits, truth)
    + structure(d3.logits, truth)
}

/// With all that the released code builds beside this network, dead or not, as Table 5's rules count it: 268,214,183 parameters at T = 1 and 291,836,621
/// at T = 8. `check` warns of every one, and should. The fuser and its fourth head come with `fused`.
variant as_counted "counted as the released code" of fused {
  insert layer rfb2_1: f32[B, 128, size / 8, size / 8] = receptive_field(32)
  insert layer rfb3_1: f32[B, 256, size / 16, size / 16] = receptive_field(32)
  insert layer rfb4_1: f32[B, 512, size / 32, size / 32] = receptive_field(32)
  insert layer predtrans2: f32[B, 128, size / 8, size / 8] = channel_head(t, 128)
  insert layer predtrans3: f32[B, 256, size / 16, size / 16] = channel_head(t, 256)
  insert layer task_embedding: task = embedding(64)
  insert layer initialiser[1]: f32[1, 64] = feed_forward(256, out: 256)
  insert layer initialiser[2]: f32[1, 64] = feed_forward(256, out: 256)
  insert layer initialiser[3]: f32[1, 64] = feed_forward(512, out: 512)
  insert for i in 1..4 {
    layer scale_router[i]: f32[1, 64] = feed_forward(2, out: 1)
    layer scale_weight[i]: f32[1] = scaled()
  }
}

# ---------------------------------------------------------------- studies

/// Table 2's two rows: one network for all tasks, and one trained for each task by itself.
variant unified "TP-Seg-Unified" of paper { alias }
variant general "TP-Seg-General" of paper { alias }

study table2 of paper {
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
