def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, T 5, D 8, H 2, K 4, F 16, V 9
  x, mask = self.of(like, [2, 5, 8]), torch.to(self.of(like, [2, 5]), 4)
  bias = self.position_bias(self.of(like, [32, 2]), mask, 32, 128)
  w = self.all_of(like, [[8], [8, 8], [8, 8], [8, 8], [8, 8], [8], [16, 8], [16, 8], [8, 16]])
  rows = self.embed_some(self.of(like, [9, 8]), mask, 3)
  return [bias, rows, self.block(x, w, bias, 4, 1e-6, [0, 2, 1]), self.block(x, w[0:7] + w[8:9], bias, 4, 1e-6, [1, 2, 0])]
