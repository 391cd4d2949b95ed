def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, C 8, H 4, W 6
  x = self.enter(self.of(like, [2, 8, 4, 6]), like.dtype, 0.5, 0.)
  k, n, row = self.layers(like, {"conv": [8, 8, 3, 3]}), self.layers(like, {"norm": [8]}), self.of(like, [2, 8, 1, 6])
  y = self.convolved(x, k, [1, 1])
  out = [x, y]
  out = out + [self.mend_(y.clone(), x, row, row, k), self.mend_(row.clone(), row, row, row, k)]
  parts = self.moments(x, 2)
  out = out + [self.normalize(x, n, 2, 1e-6, True), parts, self.normalize_by(x, parts, n, 1e-6, True)]
  w = self.layers(like, {"to_q": [8, 8], "to_k": [8, 8], "to_v": [8, 8], "to_out.0": [8, 8]})
  out = out + [self.upsample(x), self.add_(x.clone(), x), self.attention(x, x, w)]
  kernel = self.kernel_over_rows(self.of(like, [8, 8, 3, 1, 1]))
  rows = self.frames_as_rows(x)
  out = out + [kernel, rows, self.rows_as_frames(rows, 4), self.mix(x, x, self.of(like, [1]))]
  first = self.kernel_of_first_frame(self.of(like, [8, 8, 3, 3, 3]))
  out = out + [first, self.point_as_matrix(self.of(like, [8, 8, 1, 1])), self.enter_whitened(x, like.dtype, [1.] * 8, [2.] * 8)]
  gamma = {"norm.weight": self.last_frame_of_norm(self.of(like, [8, 1, 1, 1]))}
  out = out + [self.pixel_norm(x, gamma, True), self.pixel_norm(x, gamma, False)]
  tile = self.window(x, 0, 0, 4, 4)
  out = out + [self.soften(x), self.rectify_(x.clone()), self.add_rectified_(x.clone(), x), self.around_zero(x)]
  out = out + [self.ramp(4, 2, x), self.paint([x], [tile, tile], 2, 2)]
  return out + [tile, self.blend_(tile.clone(), tile.clone(), 2, 2), self.blend_(tile.clone(), tile.clone(), 3, 2)]
