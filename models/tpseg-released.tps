# TP-Seg as its authors released it: the graph whose parameters Table 5 counts, to the digit. It is not the network of the paper (`tpseg.tps`):
# structurally it is the paper's own ablation B4, without shared route and without gate, and much of it is never called or never trained.
#
# Parameters, T tasks: trunk 212,149,296; adapters 3,373,056 T + 52,704 + 48 T; task embedding 64 T; receptive fields 36,324,480 and the three dead ones
# 431,936; decoders 12,497,325 + 515 T; out4 and its two dead copies 10,752 + 899 T; fuser 4 T. Sum 261,466,493 + 3,374,586 T:
# 264,841,079 at T = 1 and 288,463,181 at T = 8, of which 52,691,783 and 76,313,885 are trained.
#
# `tpsc check` warns of what is wrong with it, and of nothing else:
#   TPS7006  the split gate is written down and never built; the contrastive loss is written down and never called
#   TPS7009  three receptive fields and two heads are built and never called; the initialiser runs in every step and its result is dropped
#   TPS7001  so no loss reaches them, nor the router and weights of a single scale (computed, normalised to 1, returned, dropped), nor the
#            task embedding, which only those two read
#   TPS7010  the training script passes no masks, so nothing ever writes the prototypes: they stay as they were drawn. `--set masks=true` passes them
# Its training script also imports a class that the model's file does not have; that a spec could not even say.
#
# Two departures: statistics over a batch of several tasks (P12) have no meaning where a batch runs as one group a task, so batches hold one task; and
# a prototype is drawn when a run begins, not at the first image of its task (P24), from a draw of its own.
edition 1
from std.hiera import hiera, sam2
from std.gate import independent
from std.peft import bottleneck, residual, scaled
from std.pgtd import channel_head, fuse_at, in_batch, pgtd, receptive_field, rfb, sequential
from std.loss import prototype_cosine, structure

/// Side of the square input in pixels; the released code knows 512 alone.
setting size: int = 512 where size % 32 == 0
/// Hidden width of an adapter's route.
setting hidden: int = 64
/// M of eq. (10).
setting experts: int = 6
/// Weight of the similarity in eq. (9).
setting alpha: float = 0.5
/// Weight of the prototypes' logits in eq. (11).
setting lambda_p: float = 5.0
/// Of the prototypes' moving average: the constructor's, not the paper's 0.9.
setting momentum: float = 0.995
/// Whether training passes the masks to the network, so that prototypes are written.
setting masks: bool = false

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

/// The gate that nothing builds: closed for 8 blocks, then a sigmoid of each logit by itself.
block split_gate(temperature: f32[]) -> f32[48] {
  param logits: f32[40] init uniform(-5.0, 5.0)
  return independent(closed: 8)(logits, temperature)
}

/// The contrastive loss that nothing calls.
block contrast(own: f32[2, c], truth: f32[B, 1, _, _]) -> f32[B] {
  return prototype_cosine(own, truth)
}

/// The decoder as a class of the released code: around the calculation, parts that have no say.
block decoder_class(t: task, c: int)(low: f32[B, _, H, W], high: f32[B, _, _, _], e: f32[1, 64])
  -> { logits: f32[B, 1, H, W], feature: f32[B, c, H, W], scale_weights: f32[1, 1] }
{
  layer initialiser = feed_forward(2 * c, out: 2 * c)
  let begun = initialiser(e)
  layer core = pgtd(
    t,
    c,
    experts,
    alpha,
    lambda_p,
    bank: if masks then "ema" else "kept",
    law: sequential(momentum),
    centre: in_batch,
    head_form: channel_head
  )
  let d = core(low, high)
  layer scale_router = feed_forward(2, out: 1)
  param adaptive_scale_weights: f32[1] init ones
  let shares = softmax(scale_router(e), axis: -1) * (adaptive_scale_weights |> reshape([1, 1]))
  return { logits: d.logits, feature: d.feature, scale_weights: shares / sum(shares, axes: [1]) }
}

model Released(image: f32[B, 3, size, size], t: task of lesions) -> f32[B, 1, size, size] {
  encoder enc = hiera(embed: 144, heads: 2, depths: [2, 6, 36, 4], global: [23, 33, 43], windows: [8, 4, 16, 8])(image)
    with { frozen: true, weights: sam2 }
  adapter tca before enc.blocks[*] = residual(per t bottleneck(hidden), scale: per t scaled())
  layer task_embedding = embedding(64)
  let e = task_embedding(t)

  let levels = enc.stages |> rfb([64, 128, 256, 512])
  layer rfb2_1: f32[B, 128, size / 8, size / 8] = receptive_field(32)
  layer rfb3_1: f32[B, 256, size / 16, size / 16] = receptive_field(32)
  layer rfb4_1: f32[B, 512, size / 32, size / 32] = receptive_field(32)

  layer predtrans4 = channel_head(t, 512)
  layer predtrans3: f32[B, 256, size / 16, size / 16] = channel_head(t, 256)
  layer predtrans2: f32[B, 128, size / 8, size / 8] = channel_head(t, 128)
  decoder pgtd3 = decoder_class(t, 256)(levels[2], levels[3], e)
  decoder pgtd2 = decoder_class(t, 128)(levels[1], pgtd3.feature, e)
  decoder pgtd1 = decoder_class(t, 128)(levels[0], pgtd2.feature, e)
  let fused = [pgtd1.logits, pgtd2.logits, pgtd3.logits, predtrans4(levels[3])] |> fuse_at(t, size)
  return fused
}

train released of Released {
  loss = structure(fused, truth)
    + structure(pgtd1.logits, truth)
    + structure(pgtd2.logits, truth)
    + structure(pgtd3.logits, truth)
  optimizer = adamw(lr: plateau(5e-4, factor: 0.1, patience: 6, to: 1e-7), weight_decay: 5e-4)
  sampler = shuffle(one_task: true)
  epochs = 30, batch = 8, drop_last = true
  clip = 1.0
  augment = [resize(size), flip(horizontal: 0.5, vertical: 0.5), imagenet_normalize]
  validate = every(1, keep: best(dice))
}

/// Table 5: `paths` are those that a row counts, `without` those among them that it leaves out. Its multiply-adds fit no counting rule.
study table5 of released {
  rows = [released]
  groups = [
    { label: "TCA", paths: ["tca.*.specific"] },
    { label: "PGTD Prototypes", paths: ["pgtd1.initialiser", "pgtd2.initialiser", "pgtd3.initialiser"] },
    {
      label: "PGTD Decoder",
      paths: ["pgtd1", "pgtd2", "pgtd3"],
      without: [
        "pgtd1.initialiser",
        "pgtd2.initialiser",
        "pgtd3.initialiser",
        "pgtd1.core.head",
        "pgtd2.core.head",
        "pgtd3.core.head"
      ]
    },
    { label: "Full Model", paths: [""] }
  ]
  published = "tables/table5.csv"
}
