# after: joint/stream
# elsewhere: yes
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 6, T 5, C 8, H 2, D 4, N 32; a block with a second attention and norms, then the last block
  last = self.layers(like, {"norm1.linear": [48, 8], "norm1_context.linear": [16, 8], "attn.to_qkv": [24, 8],
                            "attn.to_added_qkv": [24, 8], "attn.to_out.0": [8, 8], "ff.net.0.proj": [32, 8],
                            "ff.net.2": [8, 32]})
  w = last.copy()
  w.update(self.layers(like, {"norm1.linear": [72, 8], "norm1_context.linear": [48, 8], "attn.to_add_out": [8, 8],
                              "ff_context.net.0.proj": [32, 8], "ff_context.net.2": [8, 32], "attn2.to_qkv": [24, 8],
                              "attn2.to_out.0": [8, 8]}))
  for norm in ["attn.norm_qk", "attn.norm_added_qk", "attn2.norm_qk"]:
    w[norm + ".weight"] = self.of(like, [2, 4])
  x, text, t = self.of(like, [2, 6, 8]), self.of(like, [2, 5, 8]), self.of(like, [2, 8])
  m, n = self.modulation(t, w), self.modulation(t, last)
  out = [m, n, self.rest_second(self.before_second(x, m, w, 4), w)]
  for streams in [[x], [x, text]]:
    out.append(self.rest_joint(self.before_joint(streams, m, w, 4), streams, m, w))
  out.append(self.rest_joint(self.before_joint([x, text], n, last, 4), [x, text], n, last))
  attended = self.of(like, [2, 11, 2, 4])
  out.append(self.after_attention(x, attended, [self.of(like, [2, 6, 2, 4])], m, w, [0, 3, 1]))
  out.append(self.after_attention(x, attended, annotate(List[Tensor], []), n, last, [0, 2, 1]))
  out.append(self.text_after_attention(text, attended, m, w, [0, 2, 1]))
  positions = self.crop(torch.zeros([6, 4], dtype=4, device=like.device), 1, 4)
  c = self.layers(like, {"pos_embed.proj": [8, 4], "context_embedder": [8, 7], "time_text_embed.timestep_embedder.linear_1": [8, 256],
                         "time_text_embed.timestep_embedder.linear_2": [8, 8], "time_text_embed.text_embedder.linear_1": [8, 9],
                         "time_text_embed.text_embedder.linear_2": [8, 8]})
  c["pos_embed.pos_embed"] = self.of(like, [1, 16, 8])
  out = out + [positions, self.embed(self.of(like, [2, 6, 4]), positions, c)]
  pooled = self.embed_pooled(self.of(like, [2, 9]), c)
  out = out + [self.embed_text(self.of(like, [2, 5, 7]), c), pooled, self.condition(3., pooled, c)]
  texts = self.join_texts(self.of(like, [2, 3, 2]), self.of(like, [2, 3, 3]), self.of(like, [2, 2, 7]))
  return out + [texts, self.no_text(like, 3, 4)]
