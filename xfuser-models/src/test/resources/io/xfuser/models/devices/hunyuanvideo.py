# after: joint/rotary
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 6, T 5, G 3, C 16, H 2, D 8, N 64
  c = self.layers(like, {"x_embedder.proj": [16, 4], "context_embedder.proj_in": [16, 12], "context_embedder_2.norm": [9],
                         "context_embedder_2.linear_1": [10, 9], "context_embedder_2.linear_2": [10, 10],
                         "context_embedder_2.linear_3": [16, 10], "time_embed.timestep_embedder.linear_1": [16, 256],
                         "time_embed.timestep_embedder.linear_2": [16, 16],
                         "context_embedder.time_text_embed.timestep_embedder.linear_1": [16, 256],
                         "context_embedder.time_text_embed.timestep_embedder.linear_2": [16, 16],
                         "context_embedder.time_text_embed.text_embedder.linear_1": [16, 12],
                         "context_embedder.time_text_embed.text_embedder.linear_2": [16, 16]})
  c["cond_type_embed.weight"] = self.of(like, [3, 16])
  block = "context_embedder.token_refiner.refiner_blocks.0."
  c.update(self.layers(like, {block + "norm1": [16], block + "norm2": [16], block + "attn.to_q": [16, 16],
                              block + "attn.to_k": [16, 16], block + "attn.to_v": [16, 16], block + "attn.to_out.0": [16, 16],
                              block + "ff.net.0.proj": [64, 16], block + "ff.net.2": [16, 64],
                              block + "norm_out.linear": [32, 16]}))
  embeds, mask = self.of(like, [2, 5, 12]), torch.ones([2, 5], dtype=4, device=like.device)
  t = self.condition(500., like, c)
  pooled = self.pooled(embeds, mask, c)
  x = self.project_text(embeds, c)
  glyphs = self.project_glyphs(self.of(like, [2, 3, 9]), c)
  none = annotate(List[Tensor], [])
  out = [t, pooled, x, glyphs, self.embed(self.of(like, [2, 6, 4]), c), self.masks(mask, mask)]
  for bias in [none, self.bias(mask, like)]:
    for first in [none, [glyphs]]:
      out.append(self.refined(500., x, pooled, bias, first, c, 1, 2))
  out = out + [self.no_glyphs(x, 9), self.placed(x, [0, 2, 1])]
  return out + [self.rotation(torch.ones([6, 4], dtype=4, device=like.device), [4, 2, 2], 256.)]
