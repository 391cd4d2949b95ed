def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 6, C 8, H 2, D 4, N 32
  w = self.layers(like, {"attn.to_out.0": [8, 8], "ff.net.0.proj": [32, 8], "ff.net.2": [8, 32],
                         "attn.to_add_out": [8, 8], "ff_context.net.0.proj": [32, 8], "ff_context.net.2": [8, 32]})
  x, attended, m = self.of(like, [2, 6, 8]), self.of(like, [2, 6, 2, 4]), self.of(like, [6, 2, 1, 8])
  out = [self.new_packed(x, 3, self.of(like, [24]), 4).fill_(1)]
  return out + [self.image_after(x, attended, m, w, [0, 2, 1]), self.text_after(x, attended, m, w, [1, 2, 1])]
