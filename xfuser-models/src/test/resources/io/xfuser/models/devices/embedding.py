def calls(self, like: Tensor) -> List[Tensor]:
  tokens = self.of(like, [2, 6, 4])
  w = self.layers(like, {"pos_embed.proj": [8, 4], "norm_out.linear": [16, 8], "proj_out": [4, 8]})
  x = self.embed_alone(tokens, w)
  out = [x, self.embed(tokens, self.of(like, [6, 8]), w), self.predict(x, self.of(like, [2, 8]), w)]
  at = torch.zeros([6, 4], dtype=4, device=like.device)
  out.append(self.grid_positions(at, 2, 3, 2., 1., 8))
  return out + [self.video_positions(at, 2., 1., 16), self.line_positions(5, 8, like)]
