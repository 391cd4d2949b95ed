def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 6, C 8, H 2, D 4, N 32
  w = self.all_of(like, [[8, 8], [8], [32, 8], [32], [8, 32], [8]])
  x, attended, m = self.of(like, [2, 6, 8]), self.of(like, [2, 6, 2, 4]), self.of(like, [6, 2, 1, 8])
  return [self.stream_after(x, attended, m, w, 0, [0, 2, 1]), self.stream_after(x, attended, m, w, 0, [1, 2, 1])]
