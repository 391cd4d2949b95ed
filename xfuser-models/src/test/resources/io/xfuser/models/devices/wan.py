# after: joint/rotary parts/heads
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 5, C 16, H 2, D 8, N 12, T 3, text width 12, c 4
  w = self.layers(like, {"attn1.to_qkv": [48, 16], "attn1.to_out.0": [16, 16], "attn2.to_q": [16, 16], "attn2.to_kv": [32, 16],
                         "attn2.to_out.0": [16, 16], "ffn.net.0.proj": [12, 16], "ffn.net.2": [16, 12]})
  exact = torch.zeros([1, 6, 16], dtype=6, device=like.device)
  w["scale_shift_table"], w["norm2.weight"], w["norm2.bias"] = exact, exact[0][0], exact[0][0]
  w["attn1.norm_qk.weight"] = self.of(like, [2, 16])
  for name in ["q", "k"]:
    w["attn2.norm_" + name + ".weight"] = self.of(like, [1, 16])
  c = self.layers(like, {"patch_embedding": [16, 4], "proj_out": [4, 16], "condition_embedder.time_proj": [96, 16],
                         "condition_embedder.text_embedder.linear_1": [16, 12],
                         "condition_embedder.text_embedder.linear_2": [16, 16],
                         "condition_embedder.time_embedder.linear_1": [16, 256],
                         "condition_embedder.time_embedder.linear_2": [16, 16]})
  c["scale_shift_table"] = torch.zeros([1, 2, 16], dtype=6, device=like.device)
  t = self.timestep(500., like, c)
  m = self.modulation(self.timestep_modulation(t, c), w)
  x = self.embed(torch.zeros([2, 5, 4], dtype=6, device=like.device), c)
  turns = self.rotation(torch.ones([5, 4], dtype=4, device=like.device), [4, 2, 2])
  packed = self.project(x, m, w, 8, 1e-6)
  packed = self.normed(packed, self.squares(packed, w, 0), w, 0, 16, 1e-6, [turns])
  y = self.after_attention(x, packed.select(2, 0), m, w, [0, 1, 1])
  q = self.text_queries(y, w, 8, 1e-6)
  q = self.normed(q, self.squares(q, w, 1), w, 1, 16, 1e-6, annotate(List[Tensor], []))
  text = self.project_text(self.of(like, [2, 3, 12]), c)
  kv = self.keys_values(text, w, 8)
  filled = self.filled(self.of(like, [2, 2, 12]), torch.ones([2, 2], dtype=4, device=like.device), 3)
  out = [t, m, x, turns, packed, y, q, kv, filled, self.modulated(x, m, 1e-6), self.predict(x, t, c, 1e-6)]
  for terms in [[0, 2, 1], [0, 1, 0], [1, 2, 0]]:
    out.append(self.after_text(y, q, kv, m, w, 1e-6, terms))
  return out
