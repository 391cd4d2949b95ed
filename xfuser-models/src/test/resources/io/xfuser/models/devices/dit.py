def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 6, C 8, H 2, D 4, M 32
  mlp = [[8, 256], [8], [8, 8], [8], [5, 8]]
  w = self.all_of(like, mlp + [[48, 8], [48], [24, 8], [24], [8, 8], [8], [32, 8], [32], [8, 32], [8]])
  head = self.all_of(like, mlp + [[16, 8], [16], [4, 8], [4]])
  x, labels = self.of(like, [2, 6, 8]), self.places(like, 2)
  m = self.modulation(labels, 3., w, 6)
  out = [m, self.before_attention(x, m, w, 4, 1e-6)]
  out.append(self.after_attention(x, self.of(like, [2, 6, 2, 4]), m, w, 1e-6, [0, 2, 1]))
  return out + [self.predict(x, self.modulation(labels, 3., head, 2), head, 1e-6)]
