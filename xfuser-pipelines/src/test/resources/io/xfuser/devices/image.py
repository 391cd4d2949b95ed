def calls(self, like: Tensor) -> List[Tensor]:
  pixels = self.of(like, [6, 3, 8, 10])
  values, mask = torch.to(self.of(like, [8, 10, 3]), 0), torch.to(self.of(like, [8, 10, 1]), 0)
  tokens = self.of(like, [1, 6, 4])
  out = [
    self.normalize(values), self.cover(self.of(like, [1, 3, 8, 10]), mask), self.join(tokens, tokens),
    self.mask_of_latents(mask, [1, 4, 4, 5], like.dtype), self.mask_as_channels(mask, 4, 5, like.dtype)]
  video, frame = self.of(like, [1, 4, 3, 4, 5]), self.of(like, [1, 4, 1, 4, 5])
  out = out + [
    self.frames_between(pixels.slice(0, 0, 1), [pixels.slice(0, 1, 2)], 5), self.with_frames_given(video, 4, True),
    self.frames_given(frame, 3), self.frames_drawn(frame, 3)]
  return out + [
    self.colors(self.of(like, [2, 8, 3, 4]), [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [0.1, 0.2, 0.3]),
    self.denormalize(pixels), self.not_finite(pixels), self.quantize(pixels), self.picture(pixels, 1),
    self.resize_and_crop(pixels, [10, 12], [6, 6]), self.videos(pixels, 3)]
