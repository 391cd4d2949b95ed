# after: parts/heads
# not called: kept
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 5, C 16, H 2, D 8, H' 4, D' 4, N 12, T 3, text width 12, c 4
  w = self.layers(like, {"attn1.to_qkv": [48, 16], "attn1.to_out.0": [16, 16], "attn2.to_q": [16, 16], "attn2.to_kv": [32, 16],
                         "attn2.to_out.0": [16, 16], "ff.conv_inverted": [24, 16], "ff.conv_depth": [24, 9],
                         "ff.conv_point": [16, 12]})
  w["scale_shift_table"] = self.of(like, [6, 16])
  w["attn1.norm_qk.weight"], w["attn2.norm_q.weight"] = self.of(like, [2, 16]), self.of(like, [1, 16])
  c = self.layers(like, {"patch_embed.proj": [16, 4], "proj_out": [4, 16], "time_embed.linear": [96, 16],
                         "time_embed.emb.timestep_embedder.linear_1": [16, 256],
                         "time_embed.emb.timestep_embedder.linear_2": [16, 16],
                         "time_embed.timestep_embedder.linear_1": [16, 256], "time_embed.timestep_embedder.linear_2": [16, 16],
                         "time_embed.guidance_embedder.linear_1": [16, 256], "time_embed.guidance_embedder.linear_2": [16, 16],
                         "caption_projection.linear_1": [16, 12], "caption_projection.linear_2": [16, 16]})
  c["scale_shift_table"], c["caption_norm.weight"] = self.of(like, [2, 16]), self.of(like, [16])
  t = self.timestep(500., like, c)
  m = self.modulation(self.timestep_modulation(t, c), w).select(1, 0)
  m = m.unsqueeze(1)
  x = self.embed(self.of(like, [2, 5, 4]), [torch.zeros([5, 16], dtype=6, device=like.device)], c)
  caption = self.caption(self.of(like, [2, 3, 12]), torch.ones([2, 3], dtype=4, device=like.device), 2, c)
  packed = self.project(x, m, w, 8)
  packed = self.normed(packed, self.squares(packed, w, 0), w, 0, 16)
  sums = self.sums(packed, 1, 4)
  text, q = self.text_keys_values(caption[0], w, 4), self.text_queries(x, w, 4)
  q = self.normed(q, self.squares(q, w, 1), w, 1, 16)
  terms = [0, 1, 1]
  y = self.after_attention(x, packed, sums, m, w, terms)
  z = self.after_text(y, q, text, [caption[1]], w, terms)
  out = [self.guided_timestep(500., like, self.guidance(4.5, 0.1, like, c), c), t, m, x, packed, sums, text, q, y, z, self.chosen(self.of(like, [2, 5, 3]), 2, 7), self.predict(x, t, c)] + caption
  return out + [self.after_mlp(z, [z, z], [2, 0, 3, 9, 1, 3], 3, m, w, terms)]
