def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 6, T 5, C 8, H 2, D 4, N 32
  w = self.all_of(like, [[6, 8], [24, 8], [24], [8, 8], [8], [32, 8], [32], [8, 32], [8], [8, 8], [8], [16, 8], [16], [8, 8], [8]])
  x, t, text = self.of(like, [2, 6, 8]), self.of(like, [6, 8]), self.of(like, [2, 5, 8])
  packed = self.before_attention(x, t, w, 4, 1e-6)
  kv = self.text_key_values(text, w, 4)
  mask = torch.to(self.of(like, [2, 5]), 4)
  bias = self.mask_bias(mask, like)
  attended = self.of(like, [2, 6, 2, 4])
  out = [packed, kv, bias, self.project_caption(text, w[5:9])]
  for masks in [[bias], annotate(List[Tensor], [])]:
    out.append(self.after_attention(x, attended, t, kv, masks, w, 1e-6, [0, 3, 1]))
  out.append(self.predict(x, t[0], self.all_of(like, [[2, 8], [4, 8], [4]]), 1e-6))
  c = self.all_of(like, [[1], [1], [1], [1], [24, 256], [24], [24, 24], [24], [144, 24], [144], [8, 256], [8], [8, 8], [8],
                         [8, 256], [8], [8, 8], [8]])
  sizes = self.size_condition(64., 64., 1., c)
  six, embedded = self.timestep(3., c, [sizes])
  return out + [sizes, six, embedded]
