# The trunk alone, in its four sizes and one that is small: the image in, the four stages out. What `trunk.ts` and `trunk.test.ts` compare with PyTorch.
edition 1
from std.hiera import hiera, sam2

setting height: int = 224 where height % 32 == 0
setting width: int = 224 where width % 32 == 0

model Trunk(image: f32[B, 3, height, width])
  -> {
    logits: f32[B, 1, height / 4, width / 4],
    stage1: f32[B, _, _, _],
    stage2: f32[B, _, _, _],
    stage3: f32[B, _, _, _],
    stage4: f32[B, _, _, _]
  }
{
  encoder enc = hiera(embed: 96, heads: 1, depths: [1, 2, 7, 2], global: [5, 7, 9], windows: [8, 4, 14, 7])(image)
    with { frozen: true, weights: sam2 }
  return {
    logits: mean(enc.stages[0], axes: [1]),
    stage1: enc.stages[0],
    stage2: enc.stages[1],
    stage3: enc.stages[2],
    stage4: enc.stages[3]
  }
}

variant T of Trunk { alias }

variant S of Trunk {
  set Trunk.enc = hiera(embed: 96, heads: 1, depths: [1, 2, 11, 2], global: [7, 10, 13], windows: [8, 4, 14, 7])(image)
}

variant B_plus of Trunk {
  set Trunk.enc = hiera(
    embed: 112,
    heads: 2,
    depths: [2, 3, 16, 3],
    global: [12, 16, 20],
    windows: [8, 4, 14, 7],
    background: 14
  )(image)
}

variant L of Trunk {
  set Trunk.enc = hiera(
    embed: 144,
    heads: 2,
    depths: [2, 6, 36, 4],
    global: [23, 33, 43],
    windows: [8, 4, 16, 8]
  )(image)
}

/// Of no checkpoint: every kind of block at a width that a test runs in no time.
variant small of Trunk {
  set Trunk.enc = hiera(
    embed: 8,
    heads: 2,
    depths: [2, 2, 4, 2],
    global: [6],
    windows: [8, 4, 14, 7],
    background: 14
  )(image)
}
