def calls(self, like: Tensor) -> List[Tensor]:
  x = self.of(like, [2, 6, 4])
  means = self.sums(x, x)
  squares = self.squares(x, x, means)
  out = [self.keep(x, x, self.of(like, [1, 6, 4])), self.beside(x, self.of(like, [1, 6, 2]))]
  out = out + [self.guide_in_length(x, x, 2.), self.change(x, x), self.numbers(x), self.plus(x, x), self.slope(x, x, 2.), self.line(x, x, 2.), self.moved(x, x, x)]
  return out + [self.guide(x, x, 2.), self.difference(x, x), self.led(x, x, 2.), self.scale(x, 2.), means, squares, self.rescale(x, squares, 0.5), self.shorten(x, self.lengths(x, x), 1.)]
