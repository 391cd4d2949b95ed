# One step of every solver. x is the sample, out the model's prediction, both of any shape; c are coefficients.
# Each solver computes in float32 exactly where diffusers does. In half precision libtorch rounds a coefficient on the
# left of a product and not one on the right, so operands are in diffusers' order and coefficients are tensors.

def coefficients(self, c: List[float]) -> Tensor:
  # (len(c)), on the CPU, where libtorch takes scalars from
  return torch.tensor(c, dtype=6, device=torch.device("cpu"))

def predict_original(self, kind: str, x: Tensor, out: Tensor, c: List[float]) -> Tensor:
  # the picture without noise that the prediction implies; c: alpha, sigma
  k = self.coefficients(c)
  if kind == "epsilon":
    return (x - k[1] * out) / k[0]
  if kind == "v_prediction":
    return k[0] * x - k[1] * out
  if kind == "flow_prediction":
    return x - k[1] * out
  return out

def clipped_original(self, kind: str, x: Tensor, out: Tensor, c: List[float], clip: float) -> Tensor:
  # c: alpha, sigma
  return torch.clamp(self.predict_original(kind, x, out, c), -clip, clip)

def predict_noise(self, kind: str, x: Tensor, out: Tensor, c: List[float]) -> Tensor:
  # the noise that the prediction implies; c: alpha, sigma
  k = self.coefficients(c)
  if kind == "sample":
    return (x - k[0] * out) / k[1]
  if kind == "v_prediction":
    return k[0] * out + k[1] * x
  return out

def multistep_sum(self, x: Tensor, m: List[Tensor], c: List[float]) -> Tensor:
  # DPM-Solver of order len(m), in float32; m are predictions, newest first; arXiv 2211.01095
  k = self.coefficients(c)
  y = k[0] * x.to(6) + k[1] * m[0]
  if len(m) == 2:
    y = y + k[2] * (k[3] * (m[0] - m[1]))
  if len(m) == 3:
    newer = k[4] * (m[0] - m[1])
    older = k[5] * (m[1] - m[2])
    y = y + k[2] * (newer + k[6] * (newer - older)) + k[3] * (k[7] * (newer - older))
  return y

def multistep(self, x: Tensor, m: List[Tensor], c: List[float]) -> Tensor:
  return self.multistep_sum(x, m, c).to(m[0].dtype)

def noisy_multistep(self, x: Tensor, m: List[Tensor], noise: Tensor, c: List[float]) -> Tensor:
  # noise in float32; c: the last one is its weight
  return (self.multistep_sum(x, m, c) + self.coefficients(c)[-1] * noise).to(m[0].dtype)

def unipc_differences(self, m: List[Tensor], c: List[float], weights: Tensor) -> Tensor:
  # sum of the differences from m[0] over distances c[3:], weighted in m's type and added in float32
  k = self.coefficients(c)
  y = torch.zeros_like(m[0], dtype=6)
  for i in range(len(m) - 1):
    y = y + ((m[i + 1] - m[0]) / k[3 + i]).to(6) * weights[i].to(6)
  return y.to(m[0].dtype)

def unipc(self, x: Tensor, m: List[Tensor], c: List[float], weights: List[float]) -> Tensor:
  # UniP of order len(m), m are predictions, newest first; arXiv 2302.04867
  k = self.coefficients(c)
  y = k[0] * x - k[1] * m[0]
  if len(m) > 1:
    y = y - k[2] * self.unipc_differences(m, c, self.coefficients(weights).to(x.dtype))
  return y

def unipc_corrected(self, x: Tensor, m: List[Tensor], end: Tensor, c: List[float], weights: List[float]) -> Tensor:
  # UniC: the step from x anew, with the prediction at its end
  k = self.coefficients(c)
  w = self.coefficients(weights).to(x.dtype)
  y = w[-1] * (end - m[0])
  if len(m) > 1:
    y = self.unipc_differences(m, c, w) + y
  return k[0] * x - k[1] * m[0] - k[2] * y

def deis(self, x: Tensor, m: List[Tensor], c: List[float]) -> Tensor:
  # DEIS of order len(m), m are noise predictions, newest first; arXiv 2204.13902
  k = self.coefficients(c)
  if len(m) == 1:
    return k[0] * x - k[1] * m[0]
  y = x / k[1]
  for i in range(len(m)):
    y = y + k[2 + i] * m[i]
  return k[0] * y

def ddim(self, kind: str, x: Tensor, out: Tensor, c: List[float], clip: float) -> Tensor:
  # c: roots of alpha, beta and the next alpha, and the weight of the noise; arXiv 2010.02502, eq. 12
  k = self.coefficients(c)
  original = self.predict_original(kind, x, out, c)
  if kind == "epsilon":
    noise = out
  elif kind == "v_prediction":
    noise = k[0] * out + k[1] * x
  else:
    noise = (x - k[0] * original) / k[1]
  return k[2] * torch.clamp(original, -clip, clip) + k[3] * noise

def ddpm(self, kind: str, x: Tensor, out: Tensor, c: List[float], clip: float) -> Tensor:
  # c: roots of alpha and beta, and the weights of the original and the sample; arXiv 2006.11239, eq. 7
  k = self.coefficients(c)
  original = self.predict_original(kind, x, out, c)
  return k[2] * torch.clamp(original, -clip, clip) + k[3] * x

def shifted_ddim(self, kind: str, x: Tensor, out: Tensor, c: List[float]) -> Tensor:
  # c: roots of alpha and beta, and the weights of the sample and of the picture
  k = self.coefficients(c)
  return k[2] * x + k[3] * self.predict_original(kind, x, out, c)

def shifted_dpm(self, x: Tensor, original: Tensor, before: List[Tensor], noise: Tensor, c: List[float]) -> Tensor:
  # c: the weights of the sample, of the picture and of the noise; in the place of the picture there may be the sum, by the last two
  # weights, of it and of what it was before
  k = self.coefficients(c)
  if len(before) > 0:
    original = k[3] * original - k[4] * before[0]
  return k[0] * x - k[1] * original + k[2] * noise

def add_noise(self, x: Tensor, noise: Tensor, c: List[float]) -> Tensor:
  # c: the noise's deviation
  return x + self.coefficients(c)[0] * noise

def euler_original(self, kind: str, x: Tensor, out: Tensor, c: List[float]) -> Tensor:
  # the picture without noise, in float32 where x is; c: sigma, the weight of out and the divisor of x for v_prediction
  k = self.coefficients(c)
  if kind == "epsilon":
    return x - k[0] * out
  if kind == "v_prediction":
    return out * k[1] + x / k[2]
  return out

def euler(self, kind: str, x: Tensor, out: Tensor, c: List[float]) -> Tensor:
  # c: as euler_original's, then the step in sigma
  k = self.coefficients(c)
  y = x.to(6)
  original = self.euler_original(kind, y, out, c)
  return (y + (y - original) / k[0] * k[3]).to(out.dtype)

def euler_last(self, kind: str, x: Tensor, out: Tensor, c: List[float]) -> Tensor:
  # c: as euler_original's
  return self.euler_original(kind, x.to(6), out, c).to(out.dtype)

def euler_ancestral(self, kind: str, x: Tensor, out: Tensor, noise: Tensor, c: List[float]) -> Tensor:
  # c: as euler's, then the noise's deviation
  k = self.coefficients(c)
  y = x.to(6)
  original = self.euler_original(kind, y, out, c)
  return (y + (y - original) / k[0] * k[3] + noise * k[4]).to(out.dtype)

def clipped_euler_original(self, kind: str, x: Tensor, out: Tensor, c: List[float], clip: float) -> Tensor:
  # c: as euler_original's
  return torch.clamp(self.euler_original(kind, x, out, c), -clip, clip)

def slope(self, kind: str, x: Tensor, out: Tensor, c: List[float], clip: float) -> Tensor:
  # of the sample over sigma, for a flow in float32; c: as euler_original's
  k = self.coefficients(c)
  if kind == "flow":
    y = x.to(6)
    return (y - (y - out * k[0])) / k[0]
  return (x - self.clipped_euler_original(kind, x, out, c, clip)) / k[0]

def mean(self, a: Tensor, b: Tensor) -> Tensor:
  return (a + b) / 2

def follow(self, x: Tensor, slope: Tensor, out: Tensor, c: List[float]) -> Tensor:
  # c: the step in sigma -> in out's type
  return (x + slope * self.coefficients(c)[0]).to(out.dtype)

def consistent(self, kind: str, x: Tensor, out: Tensor, c: List[float], clip: float) -> Tensor:
  # c: roots of alpha and beta, the weights of the original and of the sample; arXiv 2310.04378
  k = self.coefficients(c)
  return k[2] * torch.clamp(self.predict_original(kind, x, out, c), -clip, clip) + k[3] * x

def mix(self, x: Tensor, noise: Tensor, c: List[float]) -> Tensor:
  # c: their weights
  k = self.coefficients(c)
  return k[0] * x + k[1] * noise

def flow_noised(self, x: Tensor, noise: Tensor, c: List[float]) -> Tensor:
  # a picture x on its way to noise; c: sigma, rounded as x is
  sigma = torch.to(self.coefficients(c), x.dtype)[0]
  return sigma * noise + (1.0 - sigma) * x

def flow(self, x: Tensor, out: Tensor, c: List[float]) -> Tensor:
  # c: the step in sigma
  return (x.to(6) + self.coefficients(c)[0] * out).to(out.dtype)

def divide(self, x: Tensor, c: List[float]) -> Tensor:
  return x / self.coefficients(c)[0]

def turned(self, x: Tensor, c: List[float]) -> Tensor:
  # what a flow has where TrigFlow has x; c: the deviation, the length of that flow, ...
  return x / c[0] * c[1]

def turned_back(self, x: Tensor, out: Tensor, c: List[float]) -> Tensor:
  # the picture that a flow's velocity implies, in float32; c: as above, then of the flow and the velocity, cosine and sine
  velocity = (c[2] * self.turned(x, c) + c[3] * out.to(6)) / c[1] * c[0]
  return c[4] * x - c[5] * velocity
