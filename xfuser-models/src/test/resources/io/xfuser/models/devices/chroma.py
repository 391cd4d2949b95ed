def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 6, T 5, C 16, N 29, of 2 double and 1 single block
  w = self.layers(like, {"distilled_guidance_layer.in_proj": [20, 24], "distilled_guidance_layer.out_proj": [16, 20],
                         "distilled_guidance_layer.layers.0.linear_1": [20, 20],
                         "distilled_guidance_layer.layers.0.linear_2": [20, 20], "proj_out": [4, 16]})
  w["distilled_guidance_layer.norms.0.weight"] = self.of(like, [20])
  table = self.table(500., 29, like, w, 1)
  mask = torch.ones([2, 5], dtype=4, device=like.device)
  out = [table, self.rows(table, [3, 15], 6), self.rows(table, [0], 3), self.predict(self.of(like, [2, 6, 16]), table, w)]
  return out + [self.kept(mask), self.weights(mask, like)]
