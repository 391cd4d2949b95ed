def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 6, T 5, C 16, H 2, D 8, N 64
  stream = [[48, 16], [48], [8], [8], [16, 16], [16], [64, 16], [64], [16, 64], [16]]
  double = self.all_of(like, [[96, 16], [96], [96, 16], [96]] + stream + stream)
  single = self.all_of(like, [[48, 16], [48], [48, 16], [48], [8], [8], [64, 16], [64], [16, 16], [16, 64], [16]])
  x, text, t = self.of(like, [2, 6, 16]), self.of(like, [2, 5, 16]), self.of(like, [2, 16])
  rotation = self.rotation([0, 1, 2, 3, 4, 5], 3, [2, 2, 4], like)
  m, n = self.double_modulation(t, double), self.single_modulation(t, single)
  out = [rotation, m, n]
  if like.dtype == 6:
    half = [torch.to(y, 15) for y in double]
    out.append(self.project(torch.to(x, 15), rotation, half, 4, 8))
  for streams in [[x], [x, text]]:
    packed = self.double_before(streams, m, rotation, double, 8)
    attended = packed[:, :, 0]
    out = out + [packed] + self.double_after(streams, attended, m, double, [0, 2, 1])
    packed, both = self.single_before(streams, n, rotation, single, 8)
    out = out + [packed] + self.single_after(streams, attended, both, n, single, [0, 1, 1])
  mlp = [[16, 256], [16], [16, 16], [16]]
  c = self.all_of(like, [[16, 9], [16]] + mlp + [[16, 7], [16], [16, 16], [16]] + mlp)
  fixed = self.embed_fixed(self.of(like, [2, 7]), [3.5], c)
  out = out + [self.embed_text(self.of(like, [2, 5, 9]), c), fixed, self.condition(500., fixed, c)]
  return out + [self.embed(self.of(like, [2, 6, 4]), self.all_of(like, [[16, 4], [16]])), self.finite(torch.to(x, 5))]
