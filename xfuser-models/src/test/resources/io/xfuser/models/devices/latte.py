# elsewhere: yes
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, F 3, L 6, C 8, H 2, D 4, N 32
  w = self.layers(like, {"attn1.to_qkv": [24, 8], "attn1.to_out.0": [8, 8], "ff.net.0.proj": [32, 8], "ff.net.2": [8, 32]})
  w["scale_shift_table"] = self.of(like, [6, 8])
  m = self.modulation(self.of(like, [3, 48]), w)
  positions = [self.of(like, [3, 8])]
  return [m, self.temporal_block(self.of(like, [6, 6, 8]), m[:, 0:1], positions, w, 4, 3, 1e-6, [0, 2, 1])]
