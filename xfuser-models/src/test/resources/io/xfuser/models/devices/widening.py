# after: weights/mapping
def calls(self, like: Tensor) -> List[Tensor]:
  x = self.of(like, [6, 4])
  all = [self.scaled(x, self.of(like, [1]), [0, 0, 0, 0], 6), self.scaled(x, self.of(like, [6]), [0, 1, 0, 0], 6)]
  all.append(self.scaled(x, self.of(like, [3, 2]), [0, 2, 0, 2], 6))
  kinds = [2, 3, 6, 7, 8, 10, 11, 12, 13, 14]
  sizes = [18, 20, 22, 24, 34, 84, 110, 144, 176, 210]
  for i in range(len(kinds)):
    all.append(self.widened(torch.to(self.of(like, [2, 3 * sizes[i]]), 0), [kinds[i], sizes[i], 4], 6))
  return all
