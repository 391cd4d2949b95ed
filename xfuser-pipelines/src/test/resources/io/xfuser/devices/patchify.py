def calls(self, like: Tensor) -> List[Tensor]:
  tokens = self.patchify(self.of(like, [2, 4, 4, 6]), 1, 2)  # (2, 6, 16)
  positions = [0, 2, 4, 1, 3, 5]
  out = [tokens, self.unpatchify(tokens, 1, 2, 4, 6), self.select(tokens, positions)]
  out.append(self.assemble([tokens[:, 0:3], tokens[:, 3:6]], positions))
  out = out + [self.packed(tokens, 4), self.unpacked(tokens, 4), self.unpacked_rows(self.of(like, [16, 3]), 4)]
  frames = self.frames(self.of(like, [2, 4, 3, 4, 6]))
  out = out + [frames, self.video(frames, 3), self.embedding_weight(self.of(like, [8, 4, 2, 2]))]
  out = out + [self.swapped(self.of(like, [2, 4, 3, 4, 6])), self.later(frames, 3, 1)]
  out.append(self.head_rows(self.of(like, [16, 3]), 4, 2))
  return out + [self.coordinates(positions, [1, 2, 2, 1, 1, 3], like)]
