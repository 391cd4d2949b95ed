def calls(self, like: Tensor) -> List[Tensor]:
  pixels = self.of(like, [6, 3, 8, 10])
  return [
    self.denormalize(pixels), self.not_finite(pixels), self.quantize(pixels), self.picture(pixels, 1),
    self.resize_and_crop(pixels, [10, 12], [6, 6]), self.videos(pixels, 3)]
