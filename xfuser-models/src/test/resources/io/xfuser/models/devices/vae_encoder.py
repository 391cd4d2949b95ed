def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, C 8, H 4, W 6
  x = self.enter_pixels(self.of(like, [2, 8, 4, 6]), like.dtype)
  k, row = self.layers(like, {"conv": [8, 8, 3, 3]}), self.of(like, [2, 8, 1, 6])
  out = [x, self.halve(x, row, row, True, k), self.halve(x, row, row, False, k), self.around_half(x)]
  out = out + [self.leave_whitened(x, [self.of(like, [2, 4, 4, 6])], [1.] * 4, [2.] * 4)]
  return out + [self.leave(x, [self.of(like, [2, 4, 4, 6])], False, 2., 1.), self.leave(x, annotate(List[Tensor], []), True, 2., 1.)]
