def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, T 5, D 8, H 2, K 4, F 16
  x, mask = self.of(like, [2, 5, 8]), torch.to(self.of(like, [2, 5]), 4)
  bias = self.position_bias(self.of(like, [32, 2]), mask, 32, 128)
  w = self.all_of(like, [[8], [8, 8], [8, 8], [8, 8], [8, 8], [8], [16, 8], [16, 8], [8, 16]])
  return [bias, self.block(x, w, bias, 2, 1e-6), self.block(x, w[0:7] + w[8:9], bias, 2, 1e-6)]
