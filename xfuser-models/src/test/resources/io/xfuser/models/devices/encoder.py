def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, T 5, C 8, H 2
  ids, x = torch.to(self.of(like, [2, 5]), 4), self.of(like, [2, 5, 8])
  w = self.layers(like, {"q": [8, 8], "k": [8, 8], "v": [8, 8]})
  bias, causal = self.padding_bias(ids, 6), self.causal_bias(x)
  out = [bias, causal, self.at_positions(x, self.of(like, [7, 8]))]
  out = out + [self.self_attention(x, w, "q", "k", "v", [bias], 2), self.self_attention(x, w, "q", "k", "v", [causal], 2)]
  w["table.weight"] = self.of(like, [3, 8])
  out = out + [self.rows_of(w, "table", ids, 2)]
  if like.is_cpu:  # elsewhere a table has the run's type
    w["table.weight"], w["table.weight_type"] = torch.to(self.of(like, [3, 8]), 5), self.of(like, [0])
    table = self.embedded(w, "table", ids)
    assert table.dtype == like.dtype
    out = out + [table]
  out = out + [self.in_colours(torch.zeros([4, 6, 3], dtype=0, device=like.device), 0.1, [0.5] * 3, [1.] * 3)]
  out = out + [self.as_matrix(self.of(like, [8, 3, 2, 2]))]
  return out + [self.activated(x, "gelu"), self.activated(x, "quick_gelu")]
