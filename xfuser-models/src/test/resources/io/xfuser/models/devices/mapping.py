# not called: identity map_file promised
def calls(self, like: Tensor) -> List[Tensor]:
  file = torch.to(self.of(like, [64]), 0)
  return [self.copy(file, 4, 24, [2, 3], 6)]
