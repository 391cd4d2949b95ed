# not called: tokens
def calls(self, like: Tensor) -> List[Tensor]:
  return [self.masked(self.of(like, [2, 5, 8]), self.of(like, [2, 5]))]
