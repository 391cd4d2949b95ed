def calls(self, like: Tensor) -> List[Tensor]:
  # F 2, C 8, H 4, W 6
  x, row = self.of(like, [2, 8, 4, 6]), self.of(like, [2, 8, 1, 6])
  k = self.layers(like, {"conv": [8, 8, 3, 3]})
  k["conv.weight"] = self.of(like, [8, 8, 3, 3, 3])
  normed = k.copy()
  normed["norm.weight"] = self.of(like, [8, 1, 1])
  none = annotate(List[Tensor], [])
  first = self.seen(x, none, none, 2, False, normed)
  later = self.seen(x, [row, row], [self.of(like, [2, 8, 6, 6])], 2, False, normed)
  halving = self.layers(like, {"conv": [8, 24, 1, 1]})
  out = [self.kernel_over_frames(self.of(like, [8, 8, 3, 1, 1])), first, later, self.seen(x, none, none, 0, False, k), self.seen(x, none, none, 2, True, k)]
  out = out + [self.looked_back(first, k, [1, 1]), self.looked_back(later, k, [0, 1]), self.doubled(x)]
  out = out + [self.halved_frames(x, self.of(like, [1, 8, 4, 6]), halving), self.pixel_norm_(x.clone(), normed, False)]
  out = out + [self.averaged(x, 4, 2, 2, False), self.averaged(x, 4, 2, 2, True), self.averaged(x, 8, 1, 1, False)]
  out = out + [self.spread(x, 4, 2, 2, False), self.spread(x, 4, 2, 2, True)]
  odd = torch.cat([x, x.slice(0, 0, 1)], 0)
  by = self.conditions(self.of(like, [3, 5, 2, 3]), self.layers(like, {"conv": [16, 5, 1, 1]}))
  out = out + [self.twice(x), self.twice(odd), by, self.conditioned_(self.of(like, [5, 8, 4, 6]), by)]
  out.append(self.conditioned_(x.clone(), by.slice(0, 0, 2)))
  edges = self.seen_surrounded(x, none, none, True, True, 2, normed)
  out = out + [edges, self.seen_surrounded(x, [row, row], [self.of(like, [2, 8, 6, 8])], False, False, 2, k)]
  for time, begins in [(1, False), (2, False), (2, True)]:
    made = self.of(like, [2, 4 * time * 8, 4, 6])
    out = out + [self.unfolded(made, time), self.raised(made, x, 8, time, begins)]
  both = self.both_after(none, self.of(like, [1, 5, 8]), self.of(like, [1, 5, 8]))
  out = out + [self.with_repeats(self.of(like, [2, 16, 4, 6]), x), both]
  out.append(self.both_after([both], self.of(like, [1, 5, 8]), self.of(like, [1, 5, 8])))
  patches = self.patched(self.of(like, [2, 3, 4, 6]), 2)
  return out + [patches, self.shown(patches, 2, True), self.shown(self.of(like, [2, 3, 4, 6]), 1, False)]
