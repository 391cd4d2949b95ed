def calls(self, like: Tensor) -> List[Tensor]:
  w, up, down = self.of(like, [6, 8]), self.of(like, [4, 2]), self.of(like, [2, 8])
  rows = self.low_rank(up, down)
  out = [rows, self.add_rows(w, rows, 1, 0.5), self.hadamard(rows, rows), self.kronecker(up, down)]
  out.append(self.replace_rows(w, rows, 2) + self.decompose(w, rows, self.of(like, [4]), 0, 1., 1.))
  return out + [self.decompose(w, self.of(like, [6, 8]), self.of(like, [1, 8]), 0, 1., 0.5), self.rows_of(w, 0, 2)]
