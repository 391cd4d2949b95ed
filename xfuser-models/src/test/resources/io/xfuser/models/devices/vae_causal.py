def calls(self, like: Tensor) -> List[Tensor]:
  # F 2, C 8, H 4, W 6
  x, row = self.of(like, [2, 8, 4, 6]), self.of(like, [2, 8, 1, 6])
  k = self.layers(like, {"conv": [8, 8, 3, 3]})
  k["conv.weight"] = self.of(like, [8, 8, 3, 3, 3])
  normed = k.copy()
  normed["norm.weight"] = self.of(like, [8, 1, 1])
  none = annotate(List[Tensor], [])
  first = self.seen(x, none, none, 2, normed)
  later = self.seen(x, [row, row], [self.of(like, [2, 8, 6, 6])], 2, normed)
  halving = self.layers(like, {"conv": [8, 24, 1, 1]})
  out = [self.kernel_over_frames(self.of(like, [8, 8, 3, 1, 1])), first, later, self.seen(x, none, none, 0, k)]
  out = out + [self.looked_back(first, k, [1, 1]), self.looked_back(later, k, [0, 1]), self.doubled(x)]
  out = out + [self.halved_frames(x, self.of(like, [1, 8, 4, 6]), halving), self.pixel_norm_(x.clone(), normed, False)]
  out = out + [self.averaged(x, 4, 2, 2, False), self.averaged(x, 4, 2, 2, True), self.averaged(x, 8, 1, 1, False)]
  out = out + [self.spread(x, 4, 2, 2, False), self.spread(x, 4, 2, 2, True)]
  patches = self.patched(self.of(like, [2, 3, 4, 6]), 2)
  return out + [patches, self.shown(patches, 2, True), self.shown(self.of(like, [2, 3, 4, 6]), 1, False)]
