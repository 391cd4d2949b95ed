def calls(self, like: Tensor) -> List[Tensor]:
  x, base = self.of(like, [2, 5, 2, 3, 4]), self.of(like, [2, 5, 2, 3, 4])
  out = annotate(List[Tensor], [])
  for bits in [1, 2, 4]:
    codes, rows, columns = self.encoded(x, base, bits)
    out = out + [codes, rows, columns, self.decoded(base, [codes, rows, columns], bits)]
  return out
