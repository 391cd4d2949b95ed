def calls(self, like: Tensor) -> List[Tensor]:
  x = self.of(like, [2, 3])
  out = [self.cast(x, 15), self.view(x, [3, 2]), self.contiguous(x), self.flat(x), self.concat([x, x], 1)]
  return out + [self.slice(x, 1, 0, 2), self.copy(x), self.zeros_like(x), self.rows(x, [1, 0]), x * self.on_gpu(x)]
