# not called: kept_text
# elsewhere: yes
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 6, T 5, C 8, H 2, D 4, N 32
  w = self.layers(like, {"attn1.to_qkv": [24, 8], "attn1.to_out.0": [8, 8], "ff.net.0.proj": [32, 8], "ff.net.2": [8, 32],
                         "attn2.to_q": [8, 8], "attn2.to_kv": [16, 8], "attn2.to_out.0": [8, 8]})
  w["scale_shift_table"] = self.of(like, [6, 8])
  x, t, text = self.of(like, [2, 6, 8]), self.of(like, [6, 8]), self.of(like, [2, 5, 8])
  m = self.modulation(self.of(like, [3, 48]), w)[:, 0:1]
  packed = self.before_attention(x, m, w, 4, 1e-6)
  kv = self.text_key_values(text, w, 4)
  mask = torch.to(self.of(like, [2, 5]), 4)
  bias = self.mask_bias(mask, like)
  attended = self.of(like, [2, 6, 2, 4])
  out = [m.slice(0, 0, 6), self.modulated(x, m, 1e-6), packed, kv, bias]
  for masks in [[bias], annotate(List[Tensor], [])]:
    out.append(self.after_attention(x, attended, m, kv, masks, w, 1e-6, [0, 3, 1]))
  w["scale_shift_table"] = torch.zeros_like(w["scale_shift_table"])
  closed = self.modulation(torch.zeros([1, 48], dtype=like.dtype, device=like.device), w)  # gates that are 0
  for terms in [[0, 3, 1], [0, 1, 1], [1, 3, 0]]:
    out.append(self.after_attention(x, attended, closed, kv, [bias], w, 1e-6, terms))
  head = self.layers(like, {"proj_out": [4, 8]})
  head["scale_shift_table"] = self.of(like, [2, 8])
  out.append(self.predict(x, t[0:1], head, 1e-6))
  timestep = "adaln_single.emb.timestep_embedder"
  c = self.layers(like, {"caption_projection.linear_1": [32, 8], "caption_projection.linear_2": [8, 32],
                         timestep + ".linear_1": [24, 256], timestep + ".linear_2": [24, 24], "adaln_single.linear": [144, 24]})
  for size in ["adaln_single.emb.resolution_embedder", "adaln_single.emb.aspect_ratio_embedder"]:
    c.update(self.layers(like, {size + ".linear_1": [8, 256], size + ".linear_2": [8, 8]}))
  sizes = self.size_condition(64., 64., 1., like, c)
  embedded = self.timestep(3., like, c, [sizes])
  return out + [self.project_caption(text, c), sizes, embedded, self.timestep_modulation(embedded, c)]
