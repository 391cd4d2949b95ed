def block(self, x: Tensor, a: Tensor, b: Tensor, terms: List[int]) -> Tensor:
  # two terms: a·x, then b·x of what is there by then
  if self.adds(terms, 0):
    x = self.add_gated(x, x, a, terms, 0)
  if self.adds(terms, 1):
    x = self.add_gated(x, x, b, terms, 1)
  return x
