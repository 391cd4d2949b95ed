# elsewhere: yes
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, C 16
  w = self.layers(like, {"norm1.linear": [96, 16], "norm1_context.linear": [96, 16], "norm.linear": [48, 16],
                         "time_text_embed.text_embedder.linear_1": [16, 7], "time_text_embed.text_embedder.linear_2": [16, 16]})
  for number in ["time_text_embed.timestep_embedder", "time_text_embed.guidance_embedder"]:
    w.update(self.layers(like, {number + ".linear_1": [16, 256], number + ".linear_2": [16, 16]}))
  fixed = self.embed_fixed(self.of(like, [2, 7]), [3.5], w)
  t = self.condition(500., fixed, w)
  return [fixed, t, self.single_modulation(t, w)]
