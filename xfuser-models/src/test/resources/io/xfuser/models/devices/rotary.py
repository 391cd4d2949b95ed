def calls(self, like: Tensor) -> List[Tensor]:
  # L 6, D 6
  return [self.turns([self.of(like, [6]), self.of(like, [6])], [2, 4], 10000.)]
