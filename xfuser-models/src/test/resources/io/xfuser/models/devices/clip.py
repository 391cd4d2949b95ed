def calls(self, like: Tensor) -> List[Tensor]:
  x, b, ids = self.of(like, [2, 5, 8]), self.of(like, [8]), torch.to(self.of(like, [2, 5]), 4)
  out = [self.pooled(x, ids, b, b, 1e-6, 2), self.pooled(x, ids, b, b, 1e-6, 1)]
  return out + [self.projected(self.of(like, [2, 8]), self.of(like, [4, 8]))]
