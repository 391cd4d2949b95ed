def calls(self, like: Tensor) -> List[Tensor]:
  tokens = self.patchify(self.of(like, [2, 4, 4, 6]), 2)  # (2, 6, 16)
  positions = [0, 2, 4, 1, 3, 5]
  out = [tokens, self.unpatchify(tokens, 2, 4, 6), self.select(tokens, positions)]
  out.append(self.assemble([tokens[:, 0:3], tokens[:, 3:6]], positions))
  out = out + [self.packed(tokens, 2), self.unpacked(tokens, 2), self.unpacked_rows(self.of(like, [16, 3]), 2)]
  frames = self.frames(self.of(like, [2, 4, 3, 4, 6]))
  out = out + [frames, self.video(frames, 3), self.embedding_weight(self.of(like, [8, 4, 2, 2]))]
  out.append(self.head_rows(self.of(like, [16, 3]), 4, 2))
  return out
