def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 6, C 8, H 2, D 4, N 32
  w = self.layers(like, {"attn.to_out.0": [8, 8], "ff.net.0.proj": [32, 8], "ff.net.2": [8, 32],
                         "attn.to_add_out": [8, 8], "ff_context.net.0.proj": [32, 8], "ff_context.net.2": [8, 32],
                         "attn.to_qkv": [24, 8], "attn.to_added_qkv": [24, 8]})
  w["attn.norm_qk.weight"], w["attn.norm_added_qk.weight"] = self.of(like, [2, 4]), self.of(like, [2, 4])
  x, attended, m = self.of(like, [2, 6, 8]), self.of(like, [2, 6, 2, 4]), self.of(like, [6, 2, 1, 8])
  packed = self.new_packed(x, 6, w["attn.to_qkv.bias"], 4).fill_(1)
  out = [packed, self.finite(torch.to(x, 5))]
  for text in [annotate(List[Tensor], []), [x]]:
    out.append(self.finish_packed(self.start_packed(x, 6 * len(text), w, 4), text, annotate(List[Tensor], []), w))
  return out + [self.modulated(x, m, 1e-6), self.image_after(x, attended, m, w, [0, 2, 1]), self.text_after(x, attended, m, w, [1, 2, 1])]
