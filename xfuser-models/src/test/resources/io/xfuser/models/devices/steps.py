def calls(self, like: Tensor) -> List[Tensor]:
  x = self.of(like, [2, 6, 4])
  c = [0.5, 0.4, 0.3, 0.2, 0.1, 0.2, 0.3, 0.4]
  out = [self.multistep(x, [x], c), self.multistep(x, [x, x], c), self.multistep(x, [x, x, x], c)]
  for kind in ["epsilon", "v_prediction", "flow_prediction", "sample"]:
    out = out + [self.predict_original(kind, x, x, c), self.ddim(kind, x, x, c, 1.), self.ddpm(kind, x, x, c, 1.)]
    out = out + [self.euler(kind, x, x, c), self.euler_last(kind, x, x, c), self.clipped_original(kind, x, x, c, 1.)]
    out = out + [self.euler_ancestral(kind, x, x, x, c), self.consistent(kind, x, x, c, 1.), self.slope(kind, x, x, c, 1.)]
    out.append(self.predict_noise(kind, x, x, c))
  out = out + [self.slope("flow", x, x, c, 1.), self.mean(x, x), self.follow(x, x, x, c), self.mix(x, x, c)]
  out = out + [self.unipc(x, [x, x], c, [0.5]), self.unipc_corrected(x, [x, x], x, c, [0.5, 0.4])]
  out = out + [self.noisy_multistep(x, [x, x], x, c), self.deis(x, [x], c), self.deis(x, [x, x], c)]
  out = out + [self.shifted_ddim("sample", x, x, c), self.shifted_dpm(x, x, [x], x, c)]
  return out + [self.add_noise(x, x, c), self.flow(x, x, c), self.flow_noised(x, x, c), self.divide(x, c), self.turned(x, c), self.turned_back(x, x, c)]
