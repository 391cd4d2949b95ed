def calls(self, like: Tensor) -> List[Tensor]:
  x, b = self.of(like, [2, 70, 8]), self.of(like, [8])
  w = self.layers(like, {"a": [8, 8], "m": [16, 8], "t.linear_1": [8, 256], "t.linear_2": [8, 8], "norm": [8]})
  w.update({"alone.weight": self.of(like, [8, 8]), "head.weight": self.of(like, [2, 4])})
  assert self.taken_type(like, w, "a") == like.dtype
  out = [self.linear(x, w, "a"), self.linear(x, w, "alone"), self.linear_add(x, w, "a", x), self.linear_add(x, w, "alone", x)]
  out = out + [self.mlp_gelu_tanh(x, w, "a", "a"), self.mlp_gelu_tanh_add(x, w, "alone", "alone", x)]
  rows = self.of(like, [16, 8])
  scale = self.int8_scales(rows, True)
  w["narrow.weight"], w["narrow.weight_scale"] = self.int8_rows(rows, scale), scale
  assert self.has_layer(w, "narrow") and self.taken_type(like, w, "narrow") == (6 if like.dtype == 5 else like.dtype)
  out = out + [self.linear(x, w, "narrow"), self.linear_apart(x, w, "narrow", False, None, x.dtype, 2)]
  out = out + [self.linear_apart(x, w, "alone", True, None, x.dtype, 2), self.linear_apart(x, w, "a", False, x, x.dtype, 2)]
  if like.is_cpu:  # FBGEMM is of the CPU, and only there layers stay in their files
    w["file.weight_kept"], w["file.weight_kept_1"] = torch.to(self.of(like, [8, 8]), 5), torch.to(self.of(like, [8, 8]), 15)
    w["file.weight_type"] = self.of(like, [0])
    assert self.has_layer(w, "file") and self.taken_type(like, w, "file") == like.dtype
    assert len(self.kept_parts(w, "file")) == 2
    assert not self.as_is(w["file.weight_kept"], 6, 6) and self.as_is(w["alone.weight"], like.dtype, like.dtype)
    widened = self.widen_into(w["file.weight_kept"], 15, self.of(like, [8, 8]))
    assert torch.equal(widened, torch.to(torch.to(w["file.weight_kept"], 15), like.dtype))
    w["parts.weight_kept"], w["parts.weight_kept_1"], w["parts.weight_type"] = w["alone.weight"], w["a.weight"], w["file.weight_type"]
    out = out + [self.linear(x, w, "file"), self.linear_into(x, w, "parts", self.of(like, [2, 80, 16]).slice(1, 10, 80)),
                 self.kept_linear(x, w, "parts", False, None, like.dtype, None), self.linear_apart(x, w, "file", True, None, x.dtype, 2)]
    packed = self.int8_pack(w["narrow.weight"])
    w["packed.weight_packed"], w["packed.weight_sums"], w["packed.weight_scale"] = packed[0], packed[1], scale
    out = out + [self.linear(x, w, "packed"), self.linear_add(x, w, "packed", self.of(like, [16]))]
  picture, k = self.of(like, [2, 3, 5, 4]), self.layers(like, {"biased": [6, 3, 3, 3]})
  k["plain.weight"] = self.of(like, [6, 3, 3, 3])
  k["deep.weight"] = self.of(like, [3, 1, 3, 3])
  out = out + [self.matmul(x, w["alone.weight"]), self.convolve(picture, k, "biased", [1, 1]), self.convolve(picture, k, "plain", [1, 1]),
               self.convolve_depthwise(picture, k, "deep", 3, [1, 1])]
  k["frames.weight"] = self.of(like, [6, 3, 2, 3, 3])
  out.append(self.convolve(picture, k, "frames", [1, 1]))
  for terms in [[0, 1, 0], [0, 1, 1], [0, 2, 1]]:
    if self.adds(terms, 0):
      out.append(self.add_gated(x.clone(), x, b, terms, 1))
      out.append(self.add_linear(x.clone(), x, w, "a", terms, 1))
      out.append(self.add_mlp_gelu_tanh(x.clone(), x, w, "a", "a", terms, 1))
  q = self.split_heads(x, 2)
  out.append(self.attend(q, q, q))
  half = q
  if like.dtype == 6:
    half = torch.to(q, 15)
  out = out + [self.attend(half, half, half), self.attend_masked(q, q, q, [self.of(like, [2, 1, 1, 70])])]
  factor = torch.to(q, self.product_type(q))
  out.append(self.attend_by_pairs(factor, factor, factor))
  m = self.modulations(self.of(like, [2, 8]), w, "m")
  out = out + [self.table_modulations(self.of(like, [6, 4]), self.of(like, [3, 24]))]
  out = out + [m, self.modulate(x, b, b, 1e-6), self.modulate(x, m[0], m[1], 1e-6), self.with_factors_(x[0, 0:6])]
  out.append(self.modulate(x[0:1], m[0][0:1], m[1][0:1], 1e-6))
  for layer in ["a", "alone"]:
    out.append(self.linear_into(x, w, layer, self.of(like, [2, 80, 8]).slice(1, 10, 80)))
    out.append(self.linear(self.of(like, [2, 80, 8]).slice(1, 10, 80), w, layer))
    first = self.tokens_first(x, 80, 8)
    first.copy_(self.of(like, [2, 80, 8]))
    out.append(self.linear_into(self.modulate(x, m[0], m[1], 1e-6, True), w, layer, first.slice(1, 10, 80)))
    out.append(self.linear(first.slice(1, 10, 80), w, layer))
  assert self.outputs(w, "alone") == 8 and self.outputs(w, "narrow") == 16
  w["kept.weight_kept"], w["kept.weight_kept_1"] = self.of(like, [8, 4]), self.of(like, [3, 4])
  assert self.outputs(w, "kept") == 11
  packed = self.of(like, [2, 70, 3, 2, 4])
  out = out + [self.layer_norm(x, w, "norm", 1e-6), self.rms_norm(x, w, "norm", 1e-6)]
  rotation = self.exact(like, [70, 2, 2])
  out.append(self.rotate(packed[:, :, 0], rotation))
  for turned in [[rotation], annotate(List[Tensor], [])]:
    for given in [packed, torch.to(packed, 15)]:
      out.append(self.norm_rotate_(given.clone(), turned, w, "head", 1e-6))
      w["rooted.weight"], w["rooted.weight_by_root"] = w["head.weight"], torch.to(w["head.weight"], 6) * 2
      out.append(self.norm_rotate_(given.clone(), turned, w, "rooted", 1e-6))
  out = out + [self.sinusoid(3., like), self.embed_number(3., like, w, "t")]
  number = float(self.rounded(3., 15).item())
  return out
