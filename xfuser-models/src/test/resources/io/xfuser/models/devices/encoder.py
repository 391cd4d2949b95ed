def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, T 5, C 8, H 2, F 32
  ids = torch.to(self.of(like, [2, 5]), 4)
  x = self.embed(self.of(like, [9, 8]), ids)
  w = self.all_of(like, [[8, 8], [8], [8, 8], [8], [8, 8], [8], [8, 8], [8], [32, 8], [32], [8, 32], [8], [8], [8], [8], [8]])
  bias, causal = self.padding_bias(ids, 6), self.causal_bias(x)
  out = [x, self.ones_like(ids), bias, causal, self.at_positions(x, self.of(like, [7, 8]))]
  out.append(self.layer_norm_first(x, w, causal, 2, "quick_gelu", 1e-6))
  return out + [self.layer_norm_last(x, w, bias, 2, "gelu", 1e-6)]
