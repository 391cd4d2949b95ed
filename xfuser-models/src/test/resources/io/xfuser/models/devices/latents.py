def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, c 3, h 4, w 5
  w = {"bn.running_mean": self.of(like, [12]), "bn.running_var": self.of(like, [12])}
  opened = self.opened(self.of(like, [2, 12, 4, 5]), w, 1e-4)
  return [opened, self.closed(opened, w, 1e-4)]
