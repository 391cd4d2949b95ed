def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, C 8, H 4, W 6, I 8, D 4
  x, w = self.of(like, [2, 8, 4, 6]), self.layers(like, {"conv": [8, 8, 3, 3], "conv_inverted": [64, 8, 1, 1],
                                                         "conv_depth": [64, 1, 3, 3], "conv_point": [8, 32, 1, 1],
                                                         "to_q": [8, 8], "to_k": [8, 8], "to_v": [8, 8], "to_out": [8, 16],
                                                         "in.0": [24, 1, 5, 5], "out.0": [24, 4, 1, 1]})
  w["norm.weight"], w["norm.bias"] = self.of(like, [8]), self.of(like, [8])
  batch = {"norm.weight": w["norm.weight"], "norm.bias": w["norm.bias"], "norm.mean": self.of(like, [8]),
           "norm.variance": self.of(like, [8])}
  tall = torch.cat([x, x.slice(2, 0, 2)], 2)
  packed = self.projected(x, w)
  seen = torch.cat([packed, packed], 2)
  scaled = self.scaled(seen, w, "in.0", "out.0", 5, 4)
  heads = self.heads([packed, scaled], 4)
  sums = self.sums(heads)
  h = self.inverted(tall, w)
  out = [self.activated(x, "relu"), self.normed_activated(x, w, "silu"), self.normed_added(x, x, batch), self.halved(tall, w)]
  out = out + [self.gated(h, x, w), self.repeated(x, 2), self.averaged(x, 2), self.shuffled(x), self.unshuffled(x)]
  out = out + [self.shuffled_repeats(x, 2), self.averaged_unshuffled(x, 4), packed, scaled, heads, sums]
  return out + [self.attended(heads, sums, x, w)]
