def calls(self, like: Tensor) -> List[Tensor]:
  x = self.of(like, [2, 3])
  half = torch.to(x, 5)
  return [self.flat(x), self.shaped(self.flat(x), x), self.sum([x, x]), self.sum([half, half])]
