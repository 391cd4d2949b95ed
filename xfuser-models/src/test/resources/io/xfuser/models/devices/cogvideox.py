# after: joint/rotary parts/layer_norms
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 5, T 3, C 32, E 6, H 2, D 16, N 12, text width 7, c 4, S 2
  w = self.layers(like, {"norm1.linear": [192, 6], "norm1.norm": [32], "norm2.linear": [192, 6], "norm2.norm": [32],
                         "attn1.to_qkv": [96, 32], "attn1.to_out.0": [32, 32], "ff.net.0.proj": [12, 32], "ff.net.2": [32, 12]})
  w["attn1.norm_qk.weight"], w["attn1.norm_qk.bias"] = self.of(like, [2, 16]), self.of(like, [2, 16])
  c = self.layers(like, {"patch_embed.proj": [32, 4], "patch_embed.text_proj": [32, 7], "time_embedding.linear_1": [6, 32],
                         "time_embedding.linear_2": [6, 6], "norm_final": [32], "norm_out.linear": [64, 6], "norm_out.norm": [32],
                         "proj_out": [4, 32]})
  t = self.timestep(999., like, 32, c)
  all = self.modulation(torch.cat([t, t], 0), w)
  m = all.slice(1, 0, 1)
  x, text = self.embed(self.of(like, [2, 5, 4]), [self.of(like, [5, 32])], c), self.embed_text(self.of(like, [2, 3, 7]), c)
  turns = self.turned(torch.ones([5, 4], dtype=4, device=like.device), [0., 1., 2.], [1., 0.5, 2.], [4, 6, 6])
  out = [t, all, x, text, turns, self.modulated(x, m, 1e-5), self.predict(x, t, c, 1e-5)]
  for streams in [[x], [x, text]]:
    packed = self.rest(self.before(streams, m, w, 16, 1e-5), [turns], w)
    out.append(packed)
    for terms in [[0, 2, 1], [0, 1, 0], [1, 2, 0]]:
      out = out + self.after(streams, packed.select(2, 2), m, w, 1e-5, terms)
  return out + self.after([x], self.of(like, [2, 8, 2, 16]), m, w, 1e-5, [0, 2, 1])
