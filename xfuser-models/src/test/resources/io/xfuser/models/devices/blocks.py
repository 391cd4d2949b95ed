# after: joint/stream joint/rotary
# elsewhere: yes
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 6, T 5, C 16, H 2, D 8, N 64
  double = self.layers(like, {"attn.to_qkv": [48, 16], "attn.to_added_qkv": [48, 16], "attn.to_out.0": [16, 16], "attn.to_add_out": [16, 16],
                              "ff.net.0.proj": [64, 16], "ff.net.2": [16, 64], "ff_context.net.0.proj": [64, 16],
                              "ff_context.net.2": [16, 64]})
  single = self.layers(like, {"attn.to_qkv": [48, 16], "proj_mlp": [64, 16], "proj_out.0": [16, 16]})
  single["proj_out.1.weight"] = self.of(like, [16, 64])
  for norm in ["attn.norm_qk", "attn.norm_added_qk"]:
    double[norm + ".weight"] = self.of(like, [2, 8])
    single[norm + ".weight"] = self.of(like, [2, 8])
  x, text = self.of(like, [2, 6, 16]), self.of(like, [2, 5, 16])
  at = torch.zeros([6, 4], dtype=4, device=like.device)
  rotation = self.rotation(at, [2, 2, 4])
  out = [rotation]
  for rows in [1, 2]:
    m, n = self.of(like, [12, rows, 1, 16]), self.of(like, [3, rows, 1, 16])
    for streams in [[x], [x, text]]:
      packed = self.double_before(streams, m, double, 8)
      self.double_rest(packed, streams, m, rotation, double)
      attended = packed[:, :, 0]
      out = out + [packed] + self.double_after(streams, attended, m, double, [0, 2, 1])
      packed, both = self.single_before(streams, n, single, 8)
      self.single_rest(packed, rotation, single)
      out = out + [packed] + self.single_after(streams, attended, both, n, single, [0, 1, 1])
  c = self.layers(like, {"x_embedder": [16, 4], "context_embedder": [16, 9]})
  norms = self.layers(like, {"norm1.linear": [96, 16], "norm1_context.linear": [96, 16]})
  out.append(self.double_modulation(self.of(like, [2, 16]), norms))
  out = out + [self.embed_text(self.of(like, [2, 5, 9]), c), self.embed(self.of(like, [2, 6, 4]), c)]
  return out + [self.finite(torch.to(x, 5))]
