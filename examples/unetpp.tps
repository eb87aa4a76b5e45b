# UNet++: a nested grid of nodes. Node (i, j) lies at depth i in column j; it joins all nodes to its left at its depth with the
# node below it in the column before, doubled in size. Only lists and loops: nothing of it is built in.
edition 1
from std.unet import double_conv
from std.loss import structure

setting size: int = 128 where size % 16 == 0

tasks polyps {
  CP "Colon polyp" { modality: endoscopy, folder: "colon_polyp" }
}

/// Column j of the grid, from the columns to its left; it is one node shorter than the last of them.
block column(widths: [int])(grid: [[f32[B, _, _, _]]]) -> { nodes: [f32[B, _, _, _]] } {
  let before = grid[len(grid) - 1]
  for i in 0..len(before) - 1 {
    layer node[i] = double_conv(widths[i])
    let here = before[i]
    let below = resize(before[i + 1], [shape(here)[2], shape(here)[3]], mode: bilinear, align_corners: true)
    emit nodes = node[i](concat([left[i] for left in grid] + [below], axis: 1))
  }
}

block nested(widths: [int])(x: f32[B, C, H, W]) -> { heads: [f32[B, 1, H, W]] }
  where H % 2 ^ (len(widths) - 1) == 0
  where W % 2 ^ (len(widths) - 1) == 0
{
  layer down[0] = double_conv(widths[0])
  carry nodes = [down[0](x)]
  for i in 1..len(widths) {
    layer down[i] = double_conv(widths[i])
    next nodes = nodes + [down[i](nodes[i - 1] |> max_pool(2))]
  }
  carry grid = [nodes]
  for j in 1..len(widths) {
    layer columns[j] = column(widths)
    layer head[j] = conv(1)
    next grid = grid + [columns[j](grid).nodes]
    emit heads = head[j](grid[j][0])
  }
}

model UNetPP(image: f32[B, 3, size, size]) -> f32[B, 1, size, size] {
  layer net = nested([32, 64, 128, 256, 512])
  let out = net(image)
  let logits = sum(h for h in out.heads) / len(out.heads)
  return logits
}

/// Deep supervision: every column's head learns.
train main of UNetPP {
  loss = sum(structure(h, truth) for h in out.heads) / len(out.heads)
  optimizer = adam(lr: 3e-4)
  sampler = shuffle
  epochs = 30, batch = 8, drop_last = true
  augment = [resize(size), flip(horizontal: 0.5, vertical: 0.5), imagenet_normalize]
  validate = every(1, keep: best(dice))
}
