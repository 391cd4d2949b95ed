def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 6, T 5, C 8, H 2, D 4, N 32; a block with a second attention (at 20) and norms (at 24), then the last block
  stream = [[24, 8], [24], [24, 8], [24], [8, 8], [8], [32, 8], [32], [8, 32], [8]]
  w = self.all_of(like, [[72, 8], [72], [48, 8], [48]] + stream)
  w = w + self.all_of(like, [[8, 8], [8], [32, 8], [32], [8, 32], [8], [24, 8], [24], [8, 8], [8]])
  w = w + self.all_of(like, [[4], [4], [4], [4], [4], [4]])
  last = self.all_of(like, [[48, 8], [48], [16, 8], [16]] + stream)
  x, text, t = self.of(like, [2, 6, 8]), self.of(like, [2, 5, 8]), self.of(like, [2, 8])
  m, n = self.modulation(t, w), self.modulation(t, last)
  out = [m, n, self.before_joint(x, text, m, w, 24, 4), self.before_joint(x, text, n, last, 0, 4)]
  second = self.before_second(x, m, w, 20, 24, 4)
  out = out + [second, self.before_second(x, m, w, 20, 0, 4)]
  attended = self.of(like, [2, 11, 2, 4])
  out.append(self.after_attention(x, attended, [self.of(like, [2, 6, 2, 4])], m, w, 20, [0, 3, 1]))
  out.append(self.text_after_attention(text, attended, m, w, [0, 2, 1]))
  positions = self.crop([0, 1, 2, 3, 4, 5], 3, 1, 4, like)
  out = out + [positions, self.embed(self.of(like, [2, 6, 4]), positions, self.all_of(like, [[8, 4], [8], [1, 16, 8]]))]
  c = self.all_of(like, [[8, 7], [8], [8, 256], [8], [8, 8], [8], [8, 9], [8], [8, 8], [8]])
  pooled = self.embed_pooled(self.of(like, [2, 9]), c)
  out = out + [self.embed_text(self.of(like, [2, 5, 7]), c), pooled, self.condition(3., pooled, c)]
  texts = self.join_texts(self.of(like, [2, 3, 2]), self.of(like, [2, 3, 3]), self.of(like, [2, 2, 7]))
  return out + [texts, self.no_text(like, 3, 4)]
