# after: text/encoder text/decoder
def calls(self, like: Tensor) -> List[Tensor]:
  # 4 by 6 patches of 2 by 2 pixels, groups of 2 by 2; C 16, H 2, D 8, F 12
  w = self.layers(like, {"attn.qkv": [48, 16], "attn.proj": [16, 16], "mlp.gate_up_proj": [24, 16], "mlp.down_proj": [16, 12],
                         "merger.mlp.0": [64, 64], "merger.mlp.2": [9, 64]})
  for norm in ["norm1", "norm2", "merger.ln_q"]:
    w[norm + ".weight"] = self.of(like, [16])
  w["patch_embed.proj.weight"] = self.as_matrix(self.of(like, [16, 3, 2, 2, 2]))
  pixels = torch.zeros([8, 12, 3], dtype=0, device=like.device)
  order = torch.zeros([6], dtype=4, device=like.device)
  parts = self.patches(pixels, [2, 2, 2], 0.1, [0.5, 0.5, 0.5], [1., 1., 1.], like.dtype)
  x = self.embed_patches(parts, order, 4, w)
  rotation = self.patch_rotation(torch.zeros([24, 2], dtype=4, device=like.device), 8)
  y = self.vision_layer(x, w, rotation, [16, 8], 8)
  return [parts, x, self.grouped(x, order, 4), rotation, self.seen(x, rotation, [24], w, 8), y, self.merged(y, order, 4, w)]
