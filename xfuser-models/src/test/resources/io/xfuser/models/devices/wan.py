# after: joint/rotary parts/heads
# elsewhere: yes
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 5, C 16, H 2, D 8, N 12, T 3, text width 12, c 4
  w = self.layers(like, {"attn1.to_qkv": [48, 16], "attn1.to_out.0": [16, 16], "attn2.to_q": [16, 16], "attn2.to_kv": [32, 16],
                         "attn2.to_out.0": [16, 16], "attn2.to_added_kv": [32, 16], "ffn.net.0.proj": [12, 16], "ffn.net.2": [16, 12]})
  exact = torch.zeros([1, 6, 16], dtype=6, device=like.device)
  w["scale_shift_table"], w["norm2.weight"], w["norm2.bias"] = exact, exact[0][0], exact[0][0]
  w["attn1.norm_qk.weight"] = self.of(like, [2, 16])
  for name in ["q", "k", "added_k"]:
    w["attn2.norm_" + name + ".weight"] = self.of(like, [1, 16])
  c = self.layers(like, {"patch_embedding": [16, 4], "proj_out": [4, 16], "condition_embedder.time_proj": [96, 16],
                         "condition_embedder.text_embedder.linear_1": [16, 12],
                         "condition_embedder.text_embedder.linear_2": [16, 16],
                         "condition_embedder.time_embedder.linear_1": [16, 256],
                         "condition_embedder.time_embedder.linear_2": [16, 16],
                         "condition_embedder.image_embedder.ff.net.0.proj": [12, 12],
                         "condition_embedder.image_embedder.ff.net.2": [16, 12]})
  for norm in ["1", "2"]:
    for part in [".weight", ".bias"]:
      c["condition_embedder.image_embedder.norm" + norm + part] = torch.zeros([8 + 4 * int(norm)], dtype=6, device=like.device)
  c["condition_embedder.image_embedder.pos_embed"] = self.of(like, [1, 4, 12])
  c["scale_shift_table"] = torch.zeros([1, 2, 16], dtype=6, device=like.device)
  t = self.timestep(500., like, c)
  m = self.modulation(self.timestep_modulation(t, c), w)
  x = self.embed(torch.zeros([2, 5, 4], dtype=6, device=like.device), c)
  turns = self.rotation(torch.ones([5, 4], dtype=4, device=like.device), [4, 2, 2])
  both = torch.cat([m, m], 1)
  packed = self.project(x, m, 0, w, 8, 1e-6)
  packed = self.normed(packed, self.squares(packed, w, 0), w, 0, 16, 1e-6, [turns])
  y = self.after_attention(x, packed.select(2, 0), m, 0, w, [0, 1, 1])
  q = self.text_queries(y, w, 8, 1e-6)
  q = self.normed(q, self.squares(q, w, 1), w, 1, 16, 1e-6, annotate(List[Tensor], []))
  text = self.project_text(self.of(like, [2, 3, 12]), c)
  kv = self.keys_values(text, w, 8)
  picture = self.project_picture(self.of(like, [2, 4, 12]), c)
  added = self.added_keys_values(picture, w, 8)
  added = self.normed(added, self.squares(added, w, 3), w, 3, 16, 1e-6, annotate(List[Tensor], []))
  all = self.beside(added, kv)
  filled = self.filled(self.of(like, [2, 2, 12]), torch.ones([2, 2], dtype=4, device=like.device), 3)
  out = [t, m, x, turns, packed, y, q, kv, filled, self.modulated(x, m, 0, 1e-6), self.predict(x, t, 0, c, 1e-6)]
  out = out + [picture, self.embedding_weight(self.of(like, [16, 6, 1, 2, 2]), 4), self.predict(x, torch.cat([t, t]), 5, c, 1e-6)]
  out = out + [self.modulated(x, both, 3, 1e-6), self.after_attention(x, packed.select(2, 0), both, 3, w, [0, 1, 1])]
  for terms in [[0, 2, 1], [0, 1, 0], [1, 2, 0]]:
    out.append(self.after_text(y, q, kv, 0, m, 0, w, 1e-6, terms))
    out.append(self.after_text(y, q, all, 4, both, 3, w, 1e-6, terms))
  return out
