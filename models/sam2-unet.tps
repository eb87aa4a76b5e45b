# SAM2-UNet as its authors train it: one network a data set, a frozen Hiera-L with a prompt before each block, receptive field blocks to 64 channels,
# a U-shaped way up with batch norm and three outputs. It reads no task; trained on several at once it is Table 2's unified row.
#
# Parameters: trunk 212,149,296; prompts, two biased layers on the block widths (sum 26,352, 48 blocks): 65 x 26,352 + 32 x 48 = 1,714,416;
# receptive fields to 64 channels, 5 i o + 93 o^2 + 30 o each: 2,222,592; three steps up 332,544, and a fourth, 110,848, that is built and never
# called (`check` warns of it; variant `clean` leaves it out); heads 195. Sum 216,529,891; without the fourth step 216,419,043.
# One departure: its masks are resized bicubically and never thresholded; here a pixel counts from one half on.
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
  optimizer = adamw(lr: cosine(1e-3, to: 1e-7, over: epochs), weight_decay: 5e-4)
  epochs = 20, batch = 12, drop_last = true
  augment = [resize(size), flip(horizontal: 0.5, vertical: 0.5), imagenet_normalize]
  validate = every(1, keep: best(dice))
}

/// Without what nothing calls.
variant clean "without its dead step" of main {
  remove SAM2UNet.up4
}
