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
from std.peft import bottleneck, residual, task_scales
from std.pgtd import channel_head, fuse_at, in_batch, pgtd, receptive_field, rfb
from std.prototypes import sequential
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
  adapter tca before enc.blocks[*] = residual(per t bottleneck(hidden), scale: task_scales(t))
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
  augment = [resize(size, masks: bicubic), flip(horizontal: 0.5, vertical: 0.5), imagenet_normalize]
  validate = every(1, keep: best(dice))
}

/// Table 5. A group sums the modules at its `paths`, less those at `without`; a column holds a count by the first rule of `by`, and the others are rules by
/// which the printed number may have been made. One model's numbers, but for the last row: 1 task. Rows of multiply-adds fit no rule.
study table5 of released {
  rows = [released]
  groups = [
    { label: "TCA", paths: ["tca.*.inner"], tasks: 1 },
    {
      label: "PGTD Prototypes",
      paths: [
        "pgtd1.initialiser",
        "pgtd2.initialiser",
        "pgtd3.initialiser",
        "pgtd1.core.proto",
        "pgtd2.core.proto",
        "pgtd3.core.proto"
      ],
      tasks: 1
    },
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
      ],
      tasks: 1
    },
    { label: "Full Model (1 Task)", paths: ["*"], tasks: 1 },
    { label: "Full Model (8 Tasks)", paths: ["*"], tasks: 8 }
  ]
  columns = [
    { label: "params", by: [parameters] },
    { label: "growth_per_task", by: [parameters_per_task, buffers_per_task] },
    { label: "growth_percent", by: [parameters_per_task_share, parameters_share] },
    { label: "flops", by: [macs, weight_macs, flops, weight_flops] },
    {
      label: "flops_growth_per_task",
      by: [macs_per_task, weight_macs_per_task, flops_per_task, weight_flops_per_task],
      unit: "G"
    },
    {
      label: "flops_growth_percent",
      by: [macs_per_task_share, weight_macs_per_task_share, macs_share, weight_macs_share]
    }
  ]
  published = "tables/table5.csv"
}

/// The released checkpoints (`model_state_dict`). One matrix there holds the three projections of an
/// attention, one tensor the prototypes of all tasks.
weights tp_seg of Released {
  "encoder.patch_embed.proj.weight" -> enc.patch_embed.weight
  "encoder.patch_embed.proj.bias" -> enc.patch_embed.bias
  "encoder.pos_embed" -> enc.pos_embed
  "encoder.pos_embed_window" -> enc.pos_embed_window
  "encoder.blocks.{i}.block.norm1.weight" -> enc.blocks[* as i].norm1.weight
  "encoder.blocks.{i}.block.norm1.bias" -> enc.blocks[* as i].norm1.bias
  "encoder.blocks.{i}.block.attn.qkv.weight" -> enc.blocks[* as i].attn.qkv.weight
  "encoder.blocks.{i}.block.attn.qkv.bias" -> enc.blocks[* as i].attn.qkv.bias
  "encoder.blocks.{i}.block.attn.proj.weight" -> enc.blocks[* as i].attn.proj.weight
  "encoder.blocks.{i}.block.attn.proj.bias" -> enc.blocks[* as i].attn.proj.bias
  "encoder.blocks.{i}.block.norm2.weight" -> enc.blocks[* as i].norm2.weight
  "encoder.blocks.{i}.block.norm2.bias" -> enc.blocks[* as i].norm2.bias
  "encoder.blocks.{i}.block.mlp.layers.0.weight" -> enc.blocks[* as i].mlp.layers[0].weight
  "encoder.blocks.{i}.block.mlp.layers.0.bias" -> enc.blocks[* as i].mlp.layers[0].bias
  "encoder.blocks.{i}.block.mlp.layers.1.weight" -> enc.blocks[* as i].mlp.layers[1].weight
  "encoder.blocks.{i}.block.mlp.layers.1.bias" -> enc.blocks[* as i].mlp.layers[1].bias
  "encoder.blocks.{i}.block.proj.weight" -> enc.blocks[* as i].proj.weight
  "encoder.blocks.{i}.block.proj.bias" -> enc.blocks[* as i].proj.bias
  "encoder.blocks.{i}.adapter.norm.weight" -> tca[* as i].norm.weight
  "encoder.blocks.{i}.adapter.norm.bias" -> tca[* as i].norm.bias
  "encoder.blocks.{i}.adapter.task_scales" -> tca[* as i].scale.factors
  "encoder.blocks.{i}.adapter.task_routers.{k}.0.weight" -> tca[0..3 as i].inner[* as k].down.weight
    |> reshape([hidden, 144])
  "encoder.blocks.{i}.adapter.task_routers.{k}.2.weight" -> tca[0..3 as i].inner[* as k].up.weight
    |> reshape([144, hidden])
  "encoder.blocks.{i}.adapter.task_routers.{k}.0.weight" -> tca[3..9 as i].inner[* as k].down.weight
    |> reshape([hidden, 288])
  "encoder.blocks.{i}.adapter.task_routers.{k}.2.weight" -> tca[3..9 as i].inner[* as k].up.weight
    |> reshape([288, hidden])
  "encoder.blocks.{i}.adapter.task_routers.{k}.0.weight" -> tca[9..45 as i].inner[* as k].down.weight
    |> reshape([hidden, 576])
  "encoder.blocks.{i}.adapter.task_routers.{k}.2.weight" -> tca[9..45 as i].inner[* as k].up.weight
    |> reshape([576, hidden])
  "encoder.blocks.{i}.adapter.task_routers.{k}.0.weight" -> tca[45..48 as i].inner[* as k].down.weight
    |> reshape([hidden, 1152])
  "encoder.blocks.{i}.adapter.task_routers.{k}.2.weight" -> tca[45..48 as i].inner[* as k].up.weight
    |> reshape([1152, hidden])
  "task_embedding.weight" -> task_embedding.weight
  "rfb1.branch0.0.conv.weight" -> rfb.level[0].branch0.conv.weight
  "rfb1.branch0.0.norm.weight" -> rfb.level[0].branch0.group_norm.weight
  "rfb1.branch0.0.norm.bias" -> rfb.level[0].branch0.group_norm.bias
  "rfb1.branch1.{u}.conv.weight" -> rfb.level[0].branch1.units[* as u].conv.weight
  "rfb1.branch1.{u}.norm.weight" -> rfb.level[0].branch1.units[* as u].group_norm.weight
  "rfb1.branch1.{u}.norm.bias" -> rfb.level[0].branch1.units[* as u].group_norm.bias
  "rfb1.branch2.{u}.conv.weight" -> rfb.level[0].branch2.units[* as u].conv.weight
  "rfb1.branch2.{u}.norm.weight" -> rfb.level[0].branch2.units[* as u].group_norm.weight
  "rfb1.branch2.{u}.norm.bias" -> rfb.level[0].branch2.units[* as u].group_norm.bias
  "rfb1.branch3.{u}.conv.weight" -> rfb.level[0].branch3.units[* as u].conv.weight
  "rfb1.branch3.{u}.norm.weight" -> rfb.level[0].branch3.units[* as u].group_norm.weight
  "rfb1.branch3.{u}.norm.bias" -> rfb.level[0].branch3.units[* as u].group_norm.bias
  "rfb1.conv_cat.conv.weight" -> rfb.level[0].join.conv.weight
  "rfb1.conv_cat.norm.weight" -> rfb.level[0].join.group_norm.weight
  "rfb1.conv_cat.norm.bias" -> rfb.level[0].join.group_norm.bias
  "rfb1.conv_res.conv.weight" -> rfb.level[0].shortcut.conv.weight
  "rfb1.conv_res.norm.weight" -> rfb.level[0].shortcut.group_norm.weight
  "rfb1.conv_res.norm.bias" -> rfb.level[0].shortcut.group_norm.bias
  "rfb2.branch0.0.conv.weight" -> rfb.level[1].branch0.conv.weight
  "rfb2.branch0.0.norm.weight" -> rfb.level[1].branch0.group_norm.weight
  "rfb2.branch0.0.norm.bias" -> rfb.level[1].branch0.group_norm.bias
  "rfb2.branch1.{u}.conv.weight" -> rfb.level[1].branch1.units[* as u].conv.weight
  "rfb2.branch1.{u}.norm.weight" -> rfb.level[1].branch1.units[* as u].group_norm.weight
  "rfb2.branch1.{u}.norm.bias" -> rfb.level[1].branch1.units[* as u].group_norm.bias
  "rfb2.branch2.{u}.conv.weight" -> rfb.level[1].branch2.units[* as u].conv.weight
  "rfb2.branch2.{u}.norm.weight" -> rfb.level[1].branch2.units[* as u].group_norm.weight
  "rfb2.branch2.{u}.norm.bias" -> rfb.level[1].branch2.units[* as u].group_norm.bias
  "rfb2.branch3.{u}.conv.weight" -> rfb.level[1].branch3.units[* as u].conv.weight
  "rfb2.branch3.{u}.norm.weight" -> rfb.level[1].branch3.units[* as u].group_norm.weight
  "rfb2.branch3.{u}.norm.bias" -> rfb.level[1].branch3.units[* as u].group_norm.bias
  "rfb2.conv_cat.conv.weight" -> rfb.level[1].join.conv.weight
  "rfb2.conv_cat.norm.weight" -> rfb.level[1].join.group_norm.weight
  "rfb2.conv_cat.norm.bias" -> rfb.level[1].join.group_norm.bias
  "rfb2.conv_res.conv.weight" -> rfb.level[1].shortcut.conv.weight
  "rfb2.conv_res.norm.weight" -> rfb.level[1].shortcut.group_norm.weight
  "rfb2.conv_res.norm.bias" -> rfb.level[1].shortcut.group_norm.bias
  "rfb3.branch0.0.conv.weight" -> rfb.level[2].branch0.conv.weight
  "rfb3.branch0.0.norm.weight" -> rfb.level[2].branch0.group_norm.weight
  "rfb3.branch0.0.norm.bias" -> rfb.level[2].branch0.group_norm.bias
  "rfb3.branch1.{u}.conv.weight" -> rfb.level[2].branch1.units[* as u].conv.weight
  "rfb3.branch1.{u}.norm.weight" -> rfb.level[2].branch1.units[* as u].group_norm.weight
  "rfb3.branch1.{u}.norm.bias" -> rfb.level[2].branch1.units[* as u].group_norm.bias
  "rfb3.branch2.{u}.conv.weight" -> rfb.level[2].branch2.units[* as u].conv.weight
  "rfb3.branch2.{u}.norm.weight" -> rfb.level[2].branch2.units[* as u].group_norm.weight
  "rfb3.branch2.{u}.norm.bias" -> rfb.level[2].branch2.units[* as u].group_norm.bias
  "rfb3.branch3.{u}.conv.weight" -> rfb.level[2].branch3.units[* as u].conv.weight
  "rfb3.branch3.{u}.norm.weight" -> rfb.level[2].branch3.units[* as u].group_norm.weight
  "rfb3.branch3.{u}.norm.bias" -> rfb.level[2].branch3.units[* as u].group_norm.bias
  "rfb3.conv_cat.conv.weight" -> rfb.level[2].join.conv.weight
  "rfb3.conv_cat.norm.weight" -> rfb.level[2].join.group_norm.weight
  "rfb3.conv_cat.norm.bias" -> rfb.level[2].join.group_norm.bias
  "rfb3.conv_res.conv.weight" -> rfb.level[2].shortcut.conv.weight
  "rfb3.conv_res.norm.weight" -> rfb.level[2].shortcut.group_norm.weight
  "rfb3.conv_res.norm.bias" -> rfb.level[2].shortcut.group_norm.bias
  "rfb4.branch0.0.conv.weight" -> rfb.level[3].branch0.conv.weight
  "rfb4.branch0.0.norm.weight" -> rfb.level[3].branch0.group_norm.weight
  "rfb4.branch0.0.norm.bias" -> rfb.level[3].branch0.group_norm.bias
  "rfb4.branch1.{u}.conv.weight" -> rfb.level[3].branch1.units[* as u].conv.weight
  "rfb4.branch1.{u}.norm.weight" -> rfb.level[3].branch1.units[* as u].group_norm.weight
  "rfb4.branch1.{u}.norm.bias" -> rfb.level[3].branch1.units[* as u].group_norm.bias
  "rfb4.branch2.{u}.conv.weight" -> rfb.level[3].branch2.units[* as u].conv.weight
  "rfb4.branch2.{u}.norm.weight" -> rfb.level[3].branch2.units[* as u].group_norm.weight
  "rfb4.branch2.{u}.norm.bias" -> rfb.level[3].branch2.units[* as u].group_norm.bias
  "rfb4.branch3.{u}.conv.weight" -> rfb.level[3].branch3.units[* as u].conv.weight
  "rfb4.branch3.{u}.norm.weight" -> rfb.level[3].branch3.units[* as u].group_norm.weight
  "rfb4.branch3.{u}.norm.bias" -> rfb.level[3].branch3.units[* as u].group_norm.bias
  "rfb4.conv_cat.conv.weight" -> rfb.level[3].join.conv.weight
  "rfb4.conv_cat.norm.weight" -> rfb.level[3].join.group_norm.weight
  "rfb4.conv_cat.norm.bias" -> rfb.level[3].join.group_norm.bias
  "rfb4.conv_res.conv.weight" -> rfb.level[3].shortcut.conv.weight
  "rfb4.conv_res.norm.weight" -> rfb.level[3].shortcut.group_norm.weight
  "rfb4.conv_res.norm.bias" -> rfb.level[3].shortcut.group_norm.bias
  "rfb2_1.branch0.0.conv.weight" -> rfb2_1.branch0.conv.weight
  "rfb2_1.branch0.0.norm.weight" -> rfb2_1.branch0.group_norm.weight
  "rfb2_1.branch0.0.norm.bias" -> rfb2_1.branch0.group_norm.bias
  "rfb2_1.branch1.{u}.conv.weight" -> rfb2_1.branch1.units[* as u].conv.weight
  "rfb2_1.branch1.{u}.norm.weight" -> rfb2_1.branch1.units[* as u].group_norm.weight
  "rfb2_1.branch1.{u}.norm.bias" -> rfb2_1.branch1.units[* as u].group_norm.bias
  "rfb2_1.branch2.{u}.conv.weight" -> rfb2_1.branch2.units[* as u].conv.weight
  "rfb2_1.branch2.{u}.norm.weight" -> rfb2_1.branch2.units[* as u].group_norm.weight
  "rfb2_1.branch2.{u}.norm.bias" -> rfb2_1.branch2.units[* as u].group_norm.bias
  "rfb2_1.branch3.{u}.conv.weight" -> rfb2_1.branch3.units[* as u].conv.weight
  "rfb2_1.branch3.{u}.norm.weight" -> rfb2_1.branch3.units[* as u].group_norm.weight
  "rfb2_1.branch3.{u}.norm.bias" -> rfb2_1.branch3.units[* as u].group_norm.bias
  "rfb2_1.conv_cat.conv.weight" -> rfb2_1.join.conv.weight
  "rfb2_1.conv_cat.norm.weight" -> rfb2_1.join.group_norm.weight
  "rfb2_1.conv_cat.norm.bias" -> rfb2_1.join.group_norm.bias
  "rfb2_1.conv_res.conv.weight" -> rfb2_1.shortcut.conv.weight
  "rfb2_1.conv_res.norm.weight" -> rfb2_1.shortcut.group_norm.weight
  "rfb2_1.conv_res.norm.bias" -> rfb2_1.shortcut.group_norm.bias
  "rfb3_1.branch0.0.conv.weight" -> rfb3_1.branch0.conv.weight
  "rfb3_1.branch0.0.norm.weight" -> rfb3_1.branch0.group_norm.weight
  "rfb3_1.branch0.0.norm.bias" -> rfb3_1.branch0.group_norm.bias
  "rfb3_1.branch1.{u}.conv.weight" -> rfb3_1.branch1.units[* as u].conv.weight
  "rfb3_1.branch1.{u}.norm.weight" -> rfb3_1.branch1.units[* as u].group_norm.weight
  "rfb3_1.branch1.{u}.norm.bias" -> rfb3_1.branch1.units[* as u].group_norm.bias
  "rfb3_1.branch2.{u}.conv.weight" -> rfb3_1.branch2.units[* as u].conv.weight
  "rfb3_1.branch2.{u}.norm.weight" -> rfb3_1.branch2.units[* as u].group_norm.weight
  "rfb3_1.branch2.{u}.norm.bias" -> rfb3_1.branch2.units[* as u].group_norm.bias
  "rfb3_1.branch3.{u}.conv.weight" -> rfb3_1.branch3.units[* as u].conv.weight
  "rfb3_1.branch3.{u}.norm.weight" -> rfb3_1.branch3.units[* as u].group_norm.weight
  "rfb3_1.branch3.{u}.norm.bias" -> rfb3_1.branch3.units[* as u].group_norm.bias
  "rfb3_1.conv_cat.conv.weight" -> rfb3_1.join.conv.weight
  "rfb3_1.conv_cat.norm.weight" -> rfb3_1.join.group_norm.weight
  "rfb3_1.conv_cat.norm.bias" -> rfb3_1.join.group_norm.bias
  "rfb3_1.conv_res.conv.weight" -> rfb3_1.shortcut.conv.weight
  "rfb3_1.conv_res.norm.weight" -> rfb3_1.shortcut.group_norm.weight
  "rfb3_1.conv_res.norm.bias" -> rfb3_1.shortcut.group_norm.bias
  "rfb4_1.branch0.0.conv.weight" -> rfb4_1.branch0.conv.weight
  "rfb4_1.branch0.0.norm.weight" -> rfb4_1.branch0.group_norm.weight
  "rfb4_1.branch0.0.norm.bias" -> rfb4_1.branch0.group_norm.bias
  "rfb4_1.branch1.{u}.conv.weight" -> rfb4_1.branch1.units[* as u].conv.weight
  "rfb4_1.branch1.{u}.norm.weight" -> rfb4_1.branch1.units[* as u].group_norm.weight
  "rfb4_1.branch1.{u}.norm.bias" -> rfb4_1.branch1.units[* as u].group_norm.bias
  "rfb4_1.branch2.{u}.conv.weight" -> rfb4_1.branch2.units[* as u].conv.weight
  "rfb4_1.branch2.{u}.norm.weight" -> rfb4_1.branch2.units[* as u].group_norm.weight
  "rfb4_1.branch2.{u}.norm.bias" -> rfb4_1.branch2.units[* as u].group_norm.bias
  "rfb4_1.branch3.{u}.conv.weight" -> rfb4_1.branch3.units[* as u].conv.weight
  "rfb4_1.branch3.{u}.norm.weight" -> rfb4_1.branch3.units[* as u].group_norm.weight
  "rfb4_1.branch3.{u}.norm.bias" -> rfb4_1.branch3.units[* as u].group_norm.bias
  "rfb4_1.conv_cat.conv.weight" -> rfb4_1.join.conv.weight
  "rfb4_1.conv_cat.norm.weight" -> rfb4_1.join.group_norm.weight
  "rfb4_1.conv_cat.norm.bias" -> rfb4_1.join.group_norm.bias
  "rfb4_1.conv_res.conv.weight" -> rfb4_1.shortcut.conv.weight
  "rfb4_1.conv_res.norm.weight" -> rfb4_1.shortcut.group_norm.weight
  "rfb4_1.conv_res.norm.bias" -> rfb4_1.shortcut.group_norm.bias
  "predtrans4.0.weight" -> predtrans4.spread.weight
  "predtrans4.0.bias" -> predtrans4.spread.bias
  "predtrans4.1.weight" -> predtrans4.norm.weight
  "predtrans4.1.bias" -> predtrans4.norm.bias
  "predtrans4.3.weight" -> predtrans4.rows.weight
  "predtrans4.3.bias" -> predtrans4.rows.bias
  "predtrans3.0.weight" -> predtrans3.spread.weight
  "predtrans3.0.bias" -> predtrans3.spread.bias
  "predtrans3.1.weight" -> predtrans3.norm.weight
  "predtrans3.1.bias" -> predtrans3.norm.bias
  "predtrans3.3.weight" -> predtrans3.rows.weight
  "predtrans3.3.bias" -> predtrans3.rows.bias
  "predtrans2.0.weight" -> predtrans2.spread.weight
  "predtrans2.0.bias" -> predtrans2.spread.bias
  "predtrans2.1.weight" -> predtrans2.norm.weight
  "predtrans2.1.bias" -> predtrans2.norm.bias
  "predtrans2.3.weight" -> predtrans2.rows.weight
  "predtrans2.3.bias" -> predtrans2.rows.bias
  "pgtd3.proj_high.0.weight" -> pgtd3.core.from_high.conv.weight
  "pgtd3.proj_high.1.weight" -> pgtd3.core.from_high.group_norm.weight
  "pgtd3.proj_high.1.bias" -> pgtd3.core.from_high.group_norm.bias
  "pgtd3.proj_low.0.weight" -> pgtd3.core.from_low.conv.weight
  "pgtd3.proj_low.1.weight" -> pgtd3.core.from_low.group_norm.weight
  "pgtd3.proj_low.1.bias" -> pgtd3.core.from_low.group_norm.bias
  "pgtd3.fuse.0.weight" -> pgtd3.core.join.conv.weight
  "pgtd3.fuse.1.weight" -> pgtd3.core.join.group_norm.weight
  "pgtd3.fuse.1.bias" -> pgtd3.core.join.group_norm.bias
  "pgtd3.scale_encoders.0.0.weight" -> pgtd3.core.scale.spread.weight
  "pgtd3.scale_encoders.0.0.bias" -> pgtd3.core.scale.spread.bias
  "pgtd3.scale_encoders.0.1.weight" -> pgtd3.core.scale.norm.weight
  "pgtd3.scale_encoders.0.1.bias" -> pgtd3.core.scale.norm.bias
  "pgtd3.scale_encoders.0.3.weight" -> pgtd3.core.scale.mix.weight
  "pgtd3.scale_encoders.0.3.bias" -> pgtd3.core.scale.mix.bias
  "pgtd3.proto_cross_attn.0.in_proj_weight" -> pgtd3.core.attend.q.weight |> slice(axis: 0, from: 0, to: 256)
  "pgtd3.proto_cross_attn.0.in_proj_bias" -> pgtd3.core.attend.q.bias |> slice(axis: 0, from: 0, to: 256)
  "pgtd3.proto_cross_attn.0.in_proj_weight" -> pgtd3.core.attend.k.weight |> slice(axis: 0, from: 256, to: 512)
  "pgtd3.proto_cross_attn.0.in_proj_bias" -> pgtd3.core.attend.k.bias |> slice(axis: 0, from: 256, to: 512)
  "pgtd3.proto_cross_attn.0.in_proj_weight" -> pgtd3.core.attend.v.weight |> slice(axis: 0, from: 512, to: 768)
  "pgtd3.proto_cross_attn.0.in_proj_bias" -> pgtd3.core.attend.v.bias |> slice(axis: 0, from: 512, to: 768)
  "pgtd3.proto_cross_attn.0.out_proj.weight" -> pgtd3.core.attend.out.weight
  "pgtd3.proto_cross_attn.0.out_proj.bias" -> pgtd3.core.attend.out.bias
  "pgtd3.proto_fuser.weight" -> pgtd3.core.condition.weight
  "pgtd3.proto_fuser.bias" -> pgtd3.core.condition.bias
  "pgtd3.expert_generator.0.weight" -> pgtd3.core.generate.layers[0].weight
  "pgtd3.expert_generator.0.bias" -> pgtd3.core.generate.layers[0].bias
  "pgtd3.expert_generator.2.weight" -> pgtd3.core.generate.layers[1].weight
  "pgtd3.expert_generator.2.bias" -> pgtd3.core.generate.layers[1].bias
  "pgtd3.expert_weight_gen.0.weight" -> pgtd3.core.choose.weight
  "pgtd3.expert_weight_gen.0.bias" -> pgtd3.core.choose.bias
  "pgtd3.expert_init_scale" -> pgtd3.core.mix
  "pgtd3.sim_temp" -> pgtd3.core.sharpness
  "pgtd3.proto_amplifier" -> pgtd3.core.rho
  "pgtd3.head.0.weight" -> pgtd3.core.head.spread.weight
  "pgtd3.head.0.bias" -> pgtd3.core.head.spread.bias
  "pgtd3.head.1.weight" -> pgtd3.core.head.norm.weight
  "pgtd3.head.1.bias" -> pgtd3.core.head.norm.bias
  "pgtd3.head.3.weight" -> pgtd3.core.head.rows.weight
  "pgtd3.head.3.bias" -> pgtd3.core.head.rows.bias
  "pgtd3.proto_initializer.0.weight" -> pgtd3.initialiser.layers[0].weight
  "pgtd3.proto_initializer.0.bias" -> pgtd3.initialiser.layers[0].bias
  "pgtd3.proto_initializer.2.weight" -> pgtd3.initialiser.layers[1].weight
  "pgtd3.proto_initializer.2.bias" -> pgtd3.initialiser.layers[1].bias
  "pgtd3.scale_router.0.weight" -> pgtd3.scale_router.layers[0].weight
  "pgtd3.scale_router.0.bias" -> pgtd3.scale_router.layers[0].bias
  "pgtd3.scale_router.2.weight" -> pgtd3.scale_router.layers[1].weight
  "pgtd3.scale_router.2.bias" -> pgtd3.scale_router.layers[1].bias
  "pgtd3.adaptive_scale_weights" -> pgtd3.adaptive_scale_weights
  "pgtd2.proj_high.0.weight" -> pgtd2.core.from_high.conv.weight
  "pgtd2.proj_high.1.weight" -> pgtd2.core.from_high.group_norm.weight
  "pgtd2.proj_high.1.bias" -> pgtd2.core.from_high.group_norm.bias
  "pgtd2.proj_low.0.weight" -> pgtd2.core.from_low.conv.weight
  "pgtd2.proj_low.1.weight" -> pgtd2.core.from_low.group_norm.weight
  "pgtd2.proj_low.1.bias" -> pgtd2.core.from_low.group_norm.bias
  "pgtd2.fuse.0.weight" -> pgtd2.core.join.conv.weight
  "pgtd2.fuse.1.weight" -> pgtd2.core.join.group_norm.weight
  "pgtd2.fuse.1.bias" -> pgtd2.core.join.group_norm.bias
  "pgtd2.scale_encoders.0.0.weight" -> pgtd2.core.scale.spread.weight
  "pgtd2.scale_encoders.0.0.bias" -> pgtd2.core.scale.spread.bias
  "pgtd2.scale_encoders.0.1.weight" -> pgtd2.core.scale.norm.weight
  "pgtd2.scale_encoders.0.1.bias" -> pgtd2.core.scale.norm.bias
  "pgtd2.scale_encoders.0.3.weight" -> pgtd2.core.scale.mix.weight
  "pgtd2.scale_encoders.0.3.bias" -> pgtd2.core.scale.mix.bias
  "pgtd2.proto_cross_attn.0.in_proj_weight" -> pgtd2.core.attend.q.weight |> slice(axis: 0, from: 0, to: 128)
  "pgtd2.proto_cross_attn.0.in_proj_bias" -> pgtd2.core.attend.q.bias |> slice(axis: 0, from: 0, to: 128)
  "pgtd2.proto_cross_attn.0.in_proj_weight" -> pgtd2.core.attend.k.weight |> slice(axis: 0, from: 128, to: 256)
  "pgtd2.proto_cross_attn.0.in_proj_bias" -> pgtd2.core.attend.k.bias |> slice(axis: 0, from: 128, to: 256)
  "pgtd2.proto_cross_attn.0.in_proj_weight" -> pgtd2.core.attend.v.weight |> slice(axis: 0, from: 256, to: 384)
  "pgtd2.proto_cross_attn.0.in_proj_bias" -> pgtd2.core.attend.v.bias |> slice(axis: 0, from: 256, to: 384)
  "pgtd2.proto_cross_attn.0.out_proj.weight" -> pgtd2.core.attend.out.weight
  "pgtd2.proto_cross_attn.0.out_proj.bias" -> pgtd2.core.attend.out.bias
  "pgtd2.proto_fuser.weight" -> pgtd2.core.condition.weight
  "pgtd2.proto_fuser.bias" -> pgtd2.core.condition.bias
  "pgtd2.expert_generator.0.weight" -> pgtd2.core.generate.layers[0].weight
  "pgtd2.expert_generator.0.bias" -> pgtd2.core.generate.layers[0].bias
  "pgtd2.expert_generator.2.weight" -> pgtd2.core.generate.layers[1].weight
  "pgtd2.expert_generator.2.bias" -> pgtd2.core.generate.layers[1].bias
  "pgtd2.expert_weight_gen.0.weight" -> pgtd2.core.choose.weight
  "pgtd2.expert_weight_gen.0.bias" -> pgtd2.core.choose.bias
  "pgtd2.expert_init_scale" -> pgtd2.core.mix
  "pgtd2.sim_temp" -> pgtd2.core.sharpness
  "pgtd2.proto_amplifier" -> pgtd2.core.rho
  "pgtd2.head.0.weight" -> pgtd2.core.head.spread.weight
  "pgtd2.head.0.bias" -> pgtd2.core.head.spread.bias
  "pgtd2.head.1.weight" -> pgtd2.core.head.norm.weight
  "pgtd2.head.1.bias" -> pgtd2.core.head.norm.bias
  "pgtd2.head.3.weight" -> pgtd2.core.head.rows.weight
  "pgtd2.head.3.bias" -> pgtd2.core.head.rows.bias
  "pgtd2.proto_initializer.0.weight" -> pgtd2.initialiser.layers[0].weight
  "pgtd2.proto_initializer.0.bias" -> pgtd2.initialiser.layers[0].bias
  "pgtd2.proto_initializer.2.weight" -> pgtd2.initialiser.layers[1].weight
  "pgtd2.proto_initializer.2.bias" -> pgtd2.initialiser.layers[1].bias
  "pgtd2.scale_router.0.weight" -> pgtd2.scale_router.layers[0].weight
  "pgtd2.scale_router.0.bias" -> pgtd2.scale_router.layers[0].bias
  "pgtd2.scale_router.2.weight" -> pgtd2.scale_router.layers[1].weight
  "pgtd2.scale_router.2.bias" -> pgtd2.scale_router.layers[1].bias
  "pgtd2.adaptive_scale_weights" -> pgtd2.adaptive_scale_weights
  "pgtd1.proj_high.0.weight" -> pgtd1.core.from_high.conv.weight
  "pgtd1.proj_high.1.weight" -> pgtd1.core.from_high.group_norm.weight
  "pgtd1.proj_high.1.bias" -> pgtd1.core.from_high.group_norm.bias
  "pgtd1.proj_low.0.weight" -> pgtd1.core.from_low.conv.weight
  "pgtd1.proj_low.1.weight" -> pgtd1.core.from_low.group_norm.weight
  "pgtd1.proj_low.1.bias" -> pgtd1.core.from_low.group_norm.bias
  "pgtd1.fuse.0.weight" -> pgtd1.core.join.conv.weight
  "pgtd1.fuse.1.weight" -> pgtd1.core.join.group_norm.weight
  "pgtd1.fuse.1.bias" -> pgtd1.core.join.group_norm.bias
  "pgtd1.scale_encoders.0.0.weight" -> pgtd1.core.scale.spread.weight
  "pgtd1.scale_encoders.0.0.bias" -> pgtd1.core.scale.spread.bias
  "pgtd1.scale_encoders.0.1.weight" -> pgtd1.core.scale.norm.weight
  "pgtd1.scale_encoders.0.1.bias" -> pgtd1.core.scale.norm.bias
  "pgtd1.scale_encoders.0.3.weight" -> pgtd1.core.scale.mix.weight
  "pgtd1.scale_encoders.0.3.bias" -> pgtd1.core.scale.mix.bias
  "pgtd1.proto_cross_attn.0.in_proj_weight" -> pgtd1.core.attend.q.weight |> slice(axis: 0, from: 0, to: 128)
  "pgtd1.proto_cross_attn.0.in_proj_bias" -> pgtd1.core.attend.q.bias |> slice(axis: 0, from: 0, to: 128)
  "pgtd1.proto_cross_attn.0.in_proj_weight" -> pgtd1.core.attend.k.weight |> slice(axis: 0, from: 128, to: 256)
  "pgtd1.proto_cross_attn.0.in_proj_bias" -> pgtd1.core.attend.k.bias |> slice(axis: 0, from: 128, to: 256)
  "pgtd1.proto_cross_attn.0.in_proj_weight" -> pgtd1.core.attend.v.weight |> slice(axis: 0, from: 256, to: 384)
  "pgtd1.proto_cross_attn.0.in_proj_bias" -> pgtd1.core.attend.v.bias |> slice(axis: 0, from: 256, to: 384)
  "pgtd1.proto_cross_attn.0.out_proj.weight" -> pgtd1.core.attend.out.weight
  "pgtd1.proto_cross_attn.0.out_proj.bias" -> pgtd1.core.attend.out.bias
  "pgtd1.proto_fuser.weight" -> pgtd1.core.condition.weight
  "pgtd1.proto_fuser.bias" -> pgtd1.core.condition.bias
  "pgtd1.expert_generator.0.weight" -> pgtd1.core.generate.layers[0].weight
  "pgtd1.expert_generator.0.bias" -> pgtd1.core.generate.layers[0].bias
  "pgtd1.expert_generator.2.weight" -> pgtd1.core.generate.layers[1].weight
  "pgtd1.expert_generator.2.bias" -> pgtd1.core.generate.layers[1].bias
  "pgtd1.expert_weight_gen.0.weight" -> pgtd1.core.choose.weight
  "pgtd1.expert_weight_gen.0.bias" -> pgtd1.core.choose.bias
  "pgtd1.expert_init_scale" -> pgtd1.core.mix
  "pgtd1.sim_temp" -> pgtd1.core.sharpness
  "pgtd1.proto_amplifier" -> pgtd1.core.rho
  "pgtd1.head.0.weight" -> pgtd1.core.head.spread.weight
  "pgtd1.head.0.bias" -> pgtd1.core.head.spread.bias
  "pgtd1.head.1.weight" -> pgtd1.core.head.norm.weight
  "pgtd1.head.1.bias" -> pgtd1.core.head.norm.bias
  "pgtd1.head.3.weight" -> pgtd1.core.head.rows.weight
  "pgtd1.head.3.bias" -> pgtd1.core.head.rows.bias
  "pgtd1.proto_initializer.0.weight" -> pgtd1.initialiser.layers[0].weight
  "pgtd1.proto_initializer.0.bias" -> pgtd1.initialiser.layers[0].bias
  "pgtd1.proto_initializer.2.weight" -> pgtd1.initialiser.layers[1].weight
  "pgtd1.proto_initializer.2.bias" -> pgtd1.initialiser.layers[1].bias
  "pgtd1.scale_router.0.weight" -> pgtd1.scale_router.layers[0].weight
  "pgtd1.scale_router.0.bias" -> pgtd1.scale_router.layers[0].bias
  "pgtd1.scale_router.2.weight" -> pgtd1.scale_router.layers[1].weight
  "pgtd1.scale_router.2.bias" -> pgtd1.scale_router.layers[1].bias
  "pgtd1.adaptive_scale_weights" -> pgtd1.adaptive_scale_weights
  "fuser.weight.weight" -> fuse_at.fuser.weight
  "pgtd3.multi_scale_protos" -> pgtd3.core.proto.WA |> slice(axis: 0, from: 0, to: 1) |> reshape([2, 256])
  "pgtd3.multi_scale_protos" -> pgtd3.core.proto.BT |> slice(axis: 0, from: 1, to: 2) |> reshape([2, 256])
  "pgtd3.multi_scale_protos" -> pgtd3.core.proto.ADC |> slice(axis: 0, from: 2, to: 3) |> reshape([2, 256])
  "pgtd3.multi_scale_protos" -> pgtd3.core.proto.TN |> slice(axis: 0, from: 3, to: 4) |> reshape([2, 256])
  "pgtd3.multi_scale_protos" -> pgtd3.core.proto.CP |> slice(axis: 0, from: 4, to: 5) |> reshape([2, 256])
  "pgtd3.multi_scale_protos" -> pgtd3.core.proto.LI |> slice(axis: 0, from: 5, to: 6) |> reshape([2, 256])
  "pgtd3.multi_scale_protos" -> pgtd3.core.proto.BL |> slice(axis: 0, from: 6, to: 7) |> reshape([2, 256])
  "pgtd3.multi_scale_protos" -> pgtd3.core.proto.SL |> slice(axis: 0, from: 7, to: 8) |> reshape([2, 256])
  "pgtd2.multi_scale_protos" -> pgtd2.core.proto.WA |> slice(axis: 0, from: 0, to: 1) |> reshape([2, 128])
  "pgtd2.multi_scale_protos" -> pgtd2.core.proto.BT |> slice(axis: 0, from: 1, to: 2) |> reshape([2, 128])
  "pgtd2.multi_scale_protos" -> pgtd2.core.proto.ADC |> slice(axis: 0, from: 2, to: 3) |> reshape([2, 128])
  "pgtd2.multi_scale_protos" -> pgtd2.core.proto.TN |> slice(axis: 0, from: 3, to: 4) |> reshape([2, 128])
  "pgtd2.multi_scale_protos" -> pgtd2.core.proto.CP |> slice(axis: 0, from: 4, to: 5) |> reshape([2, 128])
  "pgtd2.multi_scale_protos" -> pgtd2.core.proto.LI |> slice(axis: 0, from: 5, to: 6) |> reshape([2, 128])
  "pgtd2.multi_scale_protos" -> pgtd2.core.proto.BL |> slice(axis: 0, from: 6, to: 7) |> reshape([2, 128])
  "pgtd2.multi_scale_protos" -> pgtd2.core.proto.SL |> slice(axis: 0, from: 7, to: 8) |> reshape([2, 128])
  "pgtd1.multi_scale_protos" -> pgtd1.core.proto.WA |> slice(axis: 0, from: 0, to: 1) |> reshape([2, 128])
  "pgtd1.multi_scale_protos" -> pgtd1.core.proto.BT |> slice(axis: 0, from: 1, to: 2) |> reshape([2, 128])
  "pgtd1.multi_scale_protos" -> pgtd1.core.proto.ADC |> slice(axis: 0, from: 2, to: 3) |> reshape([2, 128])
  "pgtd1.multi_scale_protos" -> pgtd1.core.proto.TN |> slice(axis: 0, from: 3, to: 4) |> reshape([2, 128])
  "pgtd1.multi_scale_protos" -> pgtd1.core.proto.CP |> slice(axis: 0, from: 4, to: 5) |> reshape([2, 128])
  "pgtd1.multi_scale_protos" -> pgtd1.core.proto.LI |> slice(axis: 0, from: 5, to: 6) |> reshape([2, 128])
  "pgtd1.multi_scale_protos" -> pgtd1.core.proto.BL |> slice(axis: 0, from: 6, to: 7) |> reshape([2, 128])
  "pgtd1.multi_scale_protos" -> pgtd1.core.proto.SL |> slice(axis: 0, from: 7, to: 8) |> reshape([2, 128])
}
