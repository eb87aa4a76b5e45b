# SAM2-UNet as its authors train it: one network a data set, a frozen Hiera-L with a prompt before each block, receptive field blocks to 64 channels,
# a U-shaped way up with batch norm and three outputs. It reads no task; trained on several at once it is Table 2's unified row.
#
# Parameters: trunk 212,149,296; prompts, two biased layers on the block widths (sum 26,352, 48 blocks): 65 x 26,352 + 32 x 48 = 1,714,416;
# receptive fields to 64 channels, 5 i o + 93 o^2 + 30 o each: 2,222,592; three steps up 332,544, and a fourth, 110,848, that is built and never
# called (`check` warns of it; variant `clean` leaves it out); heads 195. Sum 216,529,891; without the fourth step 216,419,043.
# Masks are resized bicubically and train as they come, uncut. Departures: the weights of its cross entropy cancel in the released code (`reduce='none'`
# is read as a mean there), here they count, as the loss is written; a last batch that is smaller is dropped, for the sake of batch norm.
edition 1
from std.hiera import hiera, sam2
from std.peft import plain, prompt
from std.pgtd import receptive_field_batch, rfb
from std.unet import double_conv, up_decoder
from std.loss import structure_iou

/// Side of the square input in pixels.
setting size: int = 352 where size % 32 == 0
/// Hidden width of a prompt.
setting hidden: int = 32

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

model SAM2UNet(image: f32[B, 3, size, size]) -> f32[B, 1, size, size] {
  encoder enc = hiera(embed: 144, heads: 2, depths: [2, 6, 36, 4], global: [23, 33, 43], windows: [8, 4, 16, 8])(image)
    with { frozen: true, weights: sam2 }
  adapter prompts before enc.blocks[*] = plain(prompt(hidden))
  let levels = enc.stages |> rfb([64, 64, 64, 64], field: receptive_field_batch)
  decoder up1 = up_decoder(64)(levels[2], levels[3])
  decoder up2 = up_decoder(64)(levels[1], up1.feature)
  decoder up3 = up_decoder(64)(levels[0], up2.feature)
  layer up4: f32[B, 128, size / 2, size / 2] = double_conv(64)
  let out = up3.logits |> resize([size, size], mode: bilinear)
  let side1 = up1.logits |> resize([size, size], mode: bilinear)
  let side2 = up2.logits |> resize([size, size], mode: bilinear)
  return out
}

train main of SAM2UNet {
  loss = structure_iou(out, truth) + structure_iou(side1, truth) + structure_iou(side2, truth)
  # the cosine would reach its end after the last epoch, one step later than over 20 epochs
  optimizer = adamw(lr: cosine(1e-3, to: 1e-7, over: epochs, horizon: 21), weight_decay: 5e-4)
  epochs = 20, batch = 12, drop_last = true
  augment = [resize(size, masks: bicubic, soft: true), flip(horizontal: 0.5, vertical: 0.5), imagenet_normalize]
  validate = every(1, keep: best(dice))
}

/// Without what nothing calls.
variant clean "without its dead step" of main {
  remove SAM2UNet.up4
}

/// Table 2's two rows: one network for all tasks, and one trained for each task by itself.
variant unified "SAM2-UNet" of main { alias }
variant general "SAM2-UNet" of main { alias }

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

/// The released checkpoints: a plain state dict.
weights sam2_unet of SAM2UNet {
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
  "encoder.blocks.{i}.prompt_learn.0.weight" -> prompts[* as i].inner.down.weight
  "encoder.blocks.{i}.prompt_learn.0.bias" -> prompts[* as i].inner.down.bias
  "encoder.blocks.{i}.prompt_learn.2.weight" -> prompts[* as i].inner.up.weight
  "encoder.blocks.{i}.prompt_learn.2.bias" -> prompts[* as i].inner.up.bias
  "rfb1.branch0.0.conv.weight" -> rfb.level[0].field.branch0.conv.weight
  "rfb1.branch0.0.bn.weight" -> rfb.level[0].field.branch0.batch_norm.weight
  "rfb1.branch0.0.bn.bias" -> rfb.level[0].field.branch0.batch_norm.bias
  "rfb1.branch0.0.bn.running_mean" -> rfb.level[0].field.branch0.batch_norm.running_mean
  "rfb1.branch0.0.bn.running_var" -> rfb.level[0].field.branch0.batch_norm.running_var
  "rfb1.branch1.{u}.conv.weight" -> rfb.level[0].field.branch1.units[* as u].conv.weight
  "rfb1.branch1.{u}.bn.weight" -> rfb.level[0].field.branch1.units[* as u].batch_norm.weight
  "rfb1.branch1.{u}.bn.bias" -> rfb.level[0].field.branch1.units[* as u].batch_norm.bias
  "rfb1.branch1.{u}.bn.running_mean" -> rfb.level[0].field.branch1.units[* as u].batch_norm.running_mean
  "rfb1.branch1.{u}.bn.running_var" -> rfb.level[0].field.branch1.units[* as u].batch_norm.running_var
  "rfb1.branch2.{u}.conv.weight" -> rfb.level[0].field.branch2.units[* as u].conv.weight
  "rfb1.branch2.{u}.bn.weight" -> rfb.level[0].field.branch2.units[* as u].batch_norm.weight
  "rfb1.branch2.{u}.bn.bias" -> rfb.level[0].field.branch2.units[* as u].batch_norm.bias
  "rfb1.branch2.{u}.bn.running_mean" -> rfb.level[0].field.branch2.units[* as u].batch_norm.running_mean
  "rfb1.branch2.{u}.bn.running_var" -> rfb.level[0].field.branch2.units[* as u].batch_norm.running_var
  "rfb1.branch3.{u}.conv.weight" -> rfb.level[0].field.branch3.units[* as u].conv.weight
  "rfb1.branch3.{u}.bn.weight" -> rfb.level[0].field.branch3.units[* as u].batch_norm.weight
  "rfb1.branch3.{u}.bn.bias" -> rfb.level[0].field.branch3.units[* as u].batch_norm.bias
  "rfb1.branch3.{u}.bn.running_mean" -> rfb.level[0].field.branch3.units[* as u].batch_norm.running_mean
  "rfb1.branch3.{u}.bn.running_var" -> rfb.level[0].field.branch3.units[* as u].batch_norm.running_var
  "rfb1.conv_cat.conv.weight" -> rfb.level[0].field.join.conv.weight
  "rfb1.conv_cat.bn.weight" -> rfb.level[0].field.join.batch_norm.weight
  "rfb1.conv_cat.bn.bias" -> rfb.level[0].field.join.batch_norm.bias
  "rfb1.conv_cat.bn.running_mean" -> rfb.level[0].field.join.batch_norm.running_mean
  "rfb1.conv_cat.bn.running_var" -> rfb.level[0].field.join.batch_norm.running_var
  "rfb1.conv_res.conv.weight" -> rfb.level[0].field.shortcut.conv.weight
  "rfb1.conv_res.bn.weight" -> rfb.level[0].field.shortcut.batch_norm.weight
  "rfb1.conv_res.bn.bias" -> rfb.level[0].field.shortcut.batch_norm.bias
  "rfb1.conv_res.bn.running_mean" -> rfb.level[0].field.shortcut.batch_norm.running_mean
  "rfb1.conv_res.bn.running_var" -> rfb.level[0].field.shortcut.batch_norm.running_var
  "rfb2.branch0.0.conv.weight" -> rfb.level[1].field.branch0.conv.weight
  "rfb2.branch0.0.bn.weight" -> rfb.level[1].field.branch0.batch_norm.weight
  "rfb2.branch0.0.bn.bias" -> rfb.level[1].field.branch0.batch_norm.bias
  "rfb2.branch0.0.bn.running_mean" -> rfb.level[1].field.branch0.batch_norm.running_mean
  "rfb2.branch0.0.bn.running_var" -> rfb.level[1].field.branch0.batch_norm.running_var
  "rfb2.branch1.{u}.conv.weight" -> rfb.level[1].field.branch1.units[* as u].conv.weight
  "rfb2.branch1.{u}.bn.weight" -> rfb.level[1].field.branch1.units[* as u].batch_norm.weight
  "rfb2.branch1.{u}.bn.bias" -> rfb.level[1].field.branch1.units[* as u].batch_norm.bias
  "rfb2.branch1.{u}.bn.running_mean" -> rfb.level[1].field.branch1.units[* as u].batch_norm.running_mean
  "rfb2.branch1.{u}.bn.running_var" -> rfb.level[1].field.branch1.units[* as u].batch_norm.running_var
  "rfb2.branch2.{u}.conv.weight" -> rfb.level[1].field.branch2.units[* as u].conv.weight
  "rfb2.branch2.{u}.bn.weight" -> rfb.level[1].field.branch2.units[* as u].batch_norm.weight
  "rfb2.branch2.{u}.bn.bias" -> rfb.level[1].field.branch2.units[* as u].batch_norm.bias
  "rfb2.branch2.{u}.bn.running_mean" -> rfb.level[1].field.branch2.units[* as u].batch_norm.running_mean
  "rfb2.branch2.{u}.bn.running_var" -> rfb.level[1].field.branch2.units[* as u].batch_norm.running_var
  "rfb2.branch3.{u}.conv.weight" -> rfb.level[1].field.branch3.units[* as u].conv.weight
  "rfb2.branch3.{u}.bn.weight" -> rfb.level[1].field.branch3.units[* as u].batch_norm.weight
  "rfb2.branch3.{u}.bn.bias" -> rfb.level[1].field.branch3.units[* as u].batch_norm.bias
  "rfb2.branch3.{u}.bn.running_mean" -> rfb.level[1].field.branch3.units[* as u].batch_norm.running_mean
  "rfb2.branch3.{u}.bn.running_var" -> rfb.level[1].field.branch3.units[* as u].batch_norm.running_var
  "rfb2.conv_cat.conv.weight" -> rfb.level[1].field.join.conv.weight
  "rfb2.conv_cat.bn.weight" -> rfb.level[1].field.join.batch_norm.weight
  "rfb2.conv_cat.bn.bias" -> rfb.level[1].field.join.batch_norm.bias
  "rfb2.conv_cat.bn.running_mean" -> rfb.level[1].field.join.batch_norm.running_mean
  "rfb2.conv_cat.bn.running_var" -> rfb.level[1].field.join.batch_norm.running_var
  "rfb2.conv_res.conv.weight" -> rfb.level[1].field.shortcut.conv.weight
  "rfb2.conv_res.bn.weight" -> rfb.level[1].field.shortcut.batch_norm.weight
  "rfb2.conv_res.bn.bias" -> rfb.level[1].field.shortcut.batch_norm.bias
  "rfb2.conv_res.bn.running_mean" -> rfb.level[1].field.shortcut.batch_norm.running_mean
  "rfb2.conv_res.bn.running_var" -> rfb.level[1].field.shortcut.batch_norm.running_var
  "rfb3.branch0.0.conv.weight" -> rfb.level[2].field.branch0.conv.weight
  "rfb3.branch0.0.bn.weight" -> rfb.level[2].field.branch0.batch_norm.weight
  "rfb3.branch0.0.bn.bias" -> rfb.level[2].field.branch0.batch_norm.bias
  "rfb3.branch0.0.bn.running_mean" -> rfb.level[2].field.branch0.batch_norm.running_mean
  "rfb3.branch0.0.bn.running_var" -> rfb.level[2].field.branch0.batch_norm.running_var
  "rfb3.branch1.{u}.conv.weight" -> rfb.level[2].field.branch1.units[* as u].conv.weight
  "rfb3.branch1.{u}.bn.weight" -> rfb.level[2].field.branch1.units[* as u].batch_norm.weight
  "rfb3.branch1.{u}.bn.bias" -> rfb.level[2].field.branch1.units[* as u].batch_norm.bias
  "rfb3.branch1.{u}.bn.running_mean" -> rfb.level[2].field.branch1.units[* as u].batch_norm.running_mean
  "rfb3.branch1.{u}.bn.running_var" -> rfb.level[2].field.branch1.units[* as u].batch_norm.running_var
  "rfb3.branch2.{u}.conv.weight" -> rfb.level[2].field.branch2.units[* as u].conv.weight
  "rfb3.branch2.{u}.bn.weight" -> rfb.level[2].field.branch2.units[* as u].batch_norm.weight
  "rfb3.branch2.{u}.bn.bias" -> rfb.level[2].field.branch2.units[* as u].batch_norm.bias
  "rfb3.branch2.{u}.bn.running_mean" -> rfb.level[2].field.branch2.units[* as u].batch_norm.running_mean
  "rfb3.branch2.{u}.bn.running_var" -> rfb.level[2].field.branch2.units[* as u].batch_norm.running_var
  "rfb3.branch3.{u}.conv.weight" -> rfb.level[2].field.branch3.units[* as u].conv.weight
  "rfb3.branch3.{u}.bn.weight" -> rfb.level[2].field.branch3.units[* as u].batch_norm.weight
  "rfb3.branch3.{u}.bn.bias" -> rfb.level[2].field.branch3.units[* as u].batch_norm.bias
  "rfb3.branch3.{u}.bn.running_mean" -> rfb.level[2].field.branch3.units[* as u].batch_norm.running_mean
  "rfb3.branch3.{u}.bn.running_var" -> rfb.level[2].field.branch3.units[* as u].batch_norm.running_var
  "rfb3.conv_cat.conv.weight" -> rfb.level[2].field.join.conv.weight
  "rfb3.conv_cat.bn.weight" -> rfb.level[2].field.join.batch_norm.weight
  "rfb3.conv_cat.bn.bias" -> rfb.level[2].field.join.batch_norm.bias
  "rfb3.conv_cat.bn.running_mean" -> rfb.level[2].field.join.batch_norm.running_mean
  "rfb3.conv_cat.bn.running_var" -> rfb.level[2].field.join.batch_norm.running_var
  "rfb3.conv_res.conv.weight" -> rfb.level[2].field.shortcut.conv.weight
  "rfb3.conv_res.bn.weight" -> rfb.level[2].field.shortcut.batch_norm.weight
  "rfb3.conv_res.bn.bias" -> rfb.level[2].field.shortcut.batch_norm.bias
  "rfb3.conv_res.bn.running_mean" -> rfb.level[2].field.shortcut.batch_norm.running_mean
  "rfb3.conv_res.bn.running_var" -> rfb.level[2].field.shortcut.batch_norm.running_var
  "rfb4.branch0.0.conv.weight" -> rfb.level[3].field.branch0.conv.weight
  "rfb4.branch0.0.bn.weight" -> rfb.level[3].field.branch0.batch_norm.weight
  "rfb4.branch0.0.bn.bias" -> rfb.level[3].field.branch0.batch_norm.bias
  "rfb4.branch0.0.bn.running_mean" -> rfb.level[3].field.branch0.batch_norm.running_mean
  "rfb4.branch0.0.bn.running_var" -> rfb.level[3].field.branch0.batch_norm.running_var
  "rfb4.branch1.{u}.conv.weight" -> rfb.level[3].field.branch1.units[* as u].conv.weight
  "rfb4.branch1.{u}.bn.weight" -> rfb.level[3].field.branch1.units[* as u].batch_norm.weight
  "rfb4.branch1.{u}.bn.bias" -> rfb.level[3].field.branch1.units[* as u].batch_norm.bias
  "rfb4.branch1.{u}.bn.running_mean" -> rfb.level[3].field.branch1.units[* as u].batch_norm.running_mean
  "rfb4.branch1.{u}.bn.running_var" -> rfb.level[3].field.branch1.units[* as u].batch_norm.running_var
  "rfb4.branch2.{u}.conv.weight" -> rfb.level[3].field.branch2.units[* as u].conv.weight
  "rfb4.branch2.{u}.bn.weight" -> rfb.level[3].field.branch2.units[* as u].batch_norm.weight
  "rfb4.branch2.{u}.bn.bias" -> rfb.level[3].field.branch2.units[* as u].batch_norm.bias
  "rfb4.branch2.{u}.bn.running_mean" -> rfb.level[3].field.branch2.units[* as u].batch_norm.running_mean
  "rfb4.branch2.{u}.bn.running_var" -> rfb.level[3].field.branch2.units[* as u].batch_norm.running_var
  "rfb4.branch3.{u}.conv.weight" -> rfb.level[3].field.branch3.units[* as u].conv.weight
  "rfb4.branch3.{u}.bn.weight" -> rfb.level[3].field.branch3.units[* as u].batch_norm.weight
  "rfb4.branch3.{u}.bn.bias" -> rfb.level[3].field.branch3.units[* as u].batch_norm.bias
  "rfb4.branch3.{u}.bn.running_mean" -> rfb.level[3].field.branch3.units[* as u].batch_norm.running_mean
  "rfb4.branch3.{u}.bn.running_var" -> rfb.level[3].field.branch3.units[* as u].batch_norm.running_var
  "rfb4.conv_cat.conv.weight" -> rfb.level[3].field.join.conv.weight
  "rfb4.conv_cat.bn.weight" -> rfb.level[3].field.join.batch_norm.weight
  "rfb4.conv_cat.bn.bias" -> rfb.level[3].field.join.batch_norm.bias
  "rfb4.conv_cat.bn.running_mean" -> rfb.level[3].field.join.batch_norm.running_mean
  "rfb4.conv_cat.bn.running_var" -> rfb.level[3].field.join.batch_norm.running_var
  "rfb4.conv_res.conv.weight" -> rfb.level[3].field.shortcut.conv.weight
  "rfb4.conv_res.bn.weight" -> rfb.level[3].field.shortcut.batch_norm.weight
  "rfb4.conv_res.bn.bias" -> rfb.level[3].field.shortcut.batch_norm.bias
  "rfb4.conv_res.bn.running_mean" -> rfb.level[3].field.shortcut.batch_norm.running_mean
  "rfb4.conv_res.bn.running_var" -> rfb.level[3].field.shortcut.batch_norm.running_var
  "up1.conv.double_conv.0.weight" -> up1.up.join.conv1.weight
  "up1.conv.double_conv.1.weight" -> up1.up.join.norm1.weight
  "up1.conv.double_conv.1.bias" -> up1.up.join.norm1.bias
  "up1.conv.double_conv.1.running_mean" -> up1.up.join.norm1.running_mean
  "up1.conv.double_conv.1.running_var" -> up1.up.join.norm1.running_var
  "up1.conv.double_conv.3.weight" -> up1.up.join.conv2.weight
  "up1.conv.double_conv.4.weight" -> up1.up.join.norm2.weight
  "up1.conv.double_conv.4.bias" -> up1.up.join.norm2.bias
  "up1.conv.double_conv.4.running_mean" -> up1.up.join.norm2.running_mean
  "up1.conv.double_conv.4.running_var" -> up1.up.join.norm2.running_var
  "up2.conv.double_conv.0.weight" -> up2.up.join.conv1.weight
  "up2.conv.double_conv.1.weight" -> up2.up.join.norm1.weight
  "up2.conv.double_conv.1.bias" -> up2.up.join.norm1.bias
  "up2.conv.double_conv.1.running_mean" -> up2.up.join.norm1.running_mean
  "up2.conv.double_conv.1.running_var" -> up2.up.join.norm1.running_var
  "up2.conv.double_conv.3.weight" -> up2.up.join.conv2.weight
  "up2.conv.double_conv.4.weight" -> up2.up.join.norm2.weight
  "up2.conv.double_conv.4.bias" -> up2.up.join.norm2.bias
  "up2.conv.double_conv.4.running_mean" -> up2.up.join.norm2.running_mean
  "up2.conv.double_conv.4.running_var" -> up2.up.join.norm2.running_var
  "up3.conv.double_conv.0.weight" -> up3.up.join.conv1.weight
  "up3.conv.double_conv.1.weight" -> up3.up.join.norm1.weight
  "up3.conv.double_conv.1.bias" -> up3.up.join.norm1.bias
  "up3.conv.double_conv.1.running_mean" -> up3.up.join.norm1.running_mean
  "up3.conv.double_conv.1.running_var" -> up3.up.join.norm1.running_var
  "up3.conv.double_conv.3.weight" -> up3.up.join.conv2.weight
  "up3.conv.double_conv.4.weight" -> up3.up.join.norm2.weight
  "up3.conv.double_conv.4.bias" -> up3.up.join.norm2.bias
  "up3.conv.double_conv.4.running_mean" -> up3.up.join.norm2.running_mean
  "up3.conv.double_conv.4.running_var" -> up3.up.join.norm2.running_var
  "up4.conv.double_conv.0.weight" -> up4.conv1.weight
  "up4.conv.double_conv.1.weight" -> up4.norm1.weight
  "up4.conv.double_conv.1.bias" -> up4.norm1.bias
  "up4.conv.double_conv.1.running_mean" -> up4.norm1.running_mean
  "up4.conv.double_conv.1.running_var" -> up4.norm1.running_var
  "up4.conv.double_conv.3.weight" -> up4.conv2.weight
  "up4.conv.double_conv.4.weight" -> up4.norm2.weight
  "up4.conv.double_conv.4.bias" -> up4.norm2.bias
  "up4.conv.double_conv.4.running_mean" -> up4.norm2.running_mean
  "up4.conv.double_conv.4.running_var" -> up4.norm2.running_var
  "side1.weight" -> up1.head.weight
  "side1.bias" -> up1.head.bias
  "side2.weight" -> up2.head.weight
  "side2.bias" -> up2.head.bias
  "head.weight" -> up3.head.weight
  "head.bias" -> up3.head.bias
}
