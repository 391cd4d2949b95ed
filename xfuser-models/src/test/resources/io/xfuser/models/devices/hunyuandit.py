def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 6, T 5, C 16, H 2, D 8, M 64, E 12; T5 of 3 tokens, width 8, BERT's 2 tokens
  w = self.all_of(like, [[16], [16], [16, 16], [16], [48, 16], [48], [8], [8], [8], [8], [16, 16], [16],
                         [16], [16], [16, 16], [16], [8], [8], [32, 12], [32], [8], [8], [16, 16], [16],
                         [16], [16], [64, 16], [64], [16, 64], [16], [32], [32], [16, 32], [16]])
  x, t, text = self.of(like, [2, 6, 16]), self.of(like, [2, 16]), self.of(like, [2, 5, 12])
  rotation = self.rotation([0, 1, 2, 3, 4, 5], 2, 3, 8, like)
  out = [rotation, self.join_skip(x, x, w), self.before_attention(x, t, rotation, w, 8)]
  kv = self.text_key_values(text, w, 8)
  out = out + [kv, self.after_attention(x, self.of(like, [2, 6, 2, 8]), kv, rotation, w, [0, 3, 1])]
  c = self.all_of(like, [[32, 8], [32], [12, 32], [12], [5, 12], [4, 8], [8, 8], [8], [16, 8], [16], [10, 8], [10],
                         [16, 256], [16], [16, 16], [16], [64, 1562], [64], [16, 64], [16], [1, 16]])
  t5, ones = self.of(like, [2, 3, 8]), self.of(like, [2, 3])
  out.append(self.text(self.of(like, [2, 2, 12]), t5, self.of(like, [2, 2]), ones, c))
  extra = self.extra(t5, [64., 64., 64., 64., 0., 0.], True, c)
  return out + [extra, self.timestep(3., extra, c)]
