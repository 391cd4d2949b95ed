// Kernels that libtorch has not. NVRTC compiles this text for a GPU, and a test compiles it as C++ for the CPU (cpu_grid.h).
//
// Sums and products are in fp32; a result is rounded once, to T. B batch, L tokens, C width, H heads, D head size. Strides
// are in elements; the last dimension of everything is contiguous. N elements at a time are held by a thread, 16 bytes of
// T; aligned says that every run of N of them begins at a multiple of 16 bytes.

struct BFloat16 { unsigned short bits; };
struct Float16 { unsigned short bits; };

#ifdef __CUDACC__
__device__ float of_half_bits(unsigned short bits) {
  float x;
  asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits));
  return x;
}

__device__ unsigned short half_bits(float x) {
  unsigned short bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
}
#endif

__device__ float widened(float x) { return x; }
__device__ float widened(BFloat16 x) { return __uint_as_float((unsigned) x.bits << 16); }
__device__ float widened(Float16 x) { return of_half_bits(x.bits); }

__device__ void round_to(float* to, float x) { *to = x; }
__device__ void round_to(BFloat16* to, float x) {
  unsigned bits = __float_as_uint(x);
  // to the nearest, of two equally near to the even one; a NaN stays one
  to->bits = x != x ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}
__device__ void round_to(Float16* to, float x) { to->bits = half_bits(x); }

template <typename T> struct Per { static const int COUNT = 16 / sizeof(T); };  // N
template <typename T> struct alignas(16) Pack { T at[Per<T>::COUNT]; };

// n values from x[i] on; 0 from the end on
template <int n, typename T> __device__ void load(float* values, const T* x, int i, int end, bool aligned) {
  const int per = Per<T>::COUNT;
  if (aligned) {
    for (int k = 0; k < n; k += per) {
      Pack<T> pack = *reinterpret_cast<const Pack<T>*>(x + i + k);
      for (int j = 0; j < per; j++) values[k + j] = widened(pack.at[j]);
    }
  } else {
    for (int k = 0; k < n; k++) values[k] = i + k < end ? widened(x[i + k]) : 0.f;
  }
}

template <int n, typename T> __device__ void store(T* x, const float* values, int i, int end, bool aligned) {
  if (aligned) {
    Pack<T> pack;
    for (int k = 0; k < n; k++) round_to(pack.at + k, values[k]);
    *reinterpret_cast<Pack<T>*>(x + i) = pack;
  } else {
    for (int k = 0; k < n; k++) {
      if (i + k < end) round_to(x + i + k, values[k]);
    }
  }
}

// the sum over each `lanes` neighbouring threads, a power of two up to 32, which all of them get
__device__ float sum_of_lanes(float x, int lanes) {
  for (int offset = lanes / 2; offset > 0; offset /= 2) x += __shfl_xor_sync(0xffffffffu, x, offset);
  return x;
}

// the sum over a block of whole warps, which all of its threads get
__device__ float sum_of_block(float x) {
  __shared__ float sums[32];
  x = sum_of_lanes(x, 32);
  __syncthreads();  // an earlier sum has been read
  if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = x;
  __syncthreads();
  float sum = 0.f;
  for (int i = 0; i < (int) blockDim.x / 32; i++) sum += sums[i];
  return sum;
}

// Queries and keys of packed (B, L, 3, H, D), D <= 256, in their place: divided by the root mean square of their head, times
// the weights (2, D), and from the token `first` on turned: neighbouring pairs, as complex numbers, times those of rotation
// (L - first, D/2, 2). `lanes` threads have a head of a token; rows counts these heads.
template <typename T> __device__ void norm_rotate(
    T* packed, long long batch_stride, long long token_stride, const T* weights, const float* rotation,
    long long rotation_stride, int tokens, int heads, int size, int first, int rows, int lanes, float eps, int aligned) {
  const int N = Per<T>::COUNT;
  const int RUNS = 256 / (32 * N);  // of a thread, at most
  int row = blockIdx.x * (blockDim.x / lanes) + threadIdx.x / lanes;
  int lane = threadIdx.x % lanes;
  bool live = row < rows;  // all threads of a warp have to meet in its sums
  int head = row % heads;
  int key = row / heads % 2;  // 0 for queries
  int token = row / heads / 2 % tokens;
  int batch = row / heads / 2 / tokens;
  T* x = packed + batch * batch_stride + token * token_stride + (long long) (key * heads + head) * size;
  float v[RUNS][N];
  float squares = 0.f;
  for (int run = 0; run < RUNS; run++) {
    int i = (run * lanes + lane) * N;
    if (live && i < size) {
      load<N>(v[run], x, i, size, aligned);
      for (int k = 0; k < N; k++) squares += v[run][k] * v[run][k];
    }
  }
  float scale = rsqrtf(sum_of_lanes(squares, lanes) / size + eps);
  for (int run = 0; run < RUNS; run++) {
    int i = (run * lanes + lane) * N;
    if (!live || i >= size) continue;
    float weight[N];
    load<N>(weight, weights + key * size, i, size, aligned);
    for (int k = 0; k < N; k++) v[run][k] = v[run][k] * scale * weight[k];
    if (token >= first) {
      float turn[N];
      load<N>(turn, rotation + (token - first) * rotation_stride, i, size, aligned);
      for (int k = 0; k < N; k += 2) {
        float a = v[run][k], b = v[run][k + 1];
        v[run][k] = a * turn[k] - b * turn[k + 1];
        v[run][k + 1] = a * turn[k + 1] + b * turn[k];
      }
    }
    store<N>(x, v[run], i, size, aligned);
  }
}

// adaLN: each token of x (B, L, C) less its mean, by its standard deviation, times factor, plus shift, both (B, C). A block
// has a token.
template <typename T> __device__ void modulate(
    T* out, long long out_batch, long long out_token, const T* x, long long x_batch, long long x_token, const T* shift,
    long long shift_batch, const T* factor, long long factor_batch, int tokens, int width, float eps, int aligned) {
  const int N = Per<T>::COUNT;
  int batch = blockIdx.x / tokens;
  int token = blockIdx.x % tokens;
  x += batch * x_batch + token * x_token;
  out += batch * out_batch + token * out_token;
  int begin = threadIdx.x * N, step = blockDim.x * N;
  float v[N];
  float sum = 0.f;
  for (int i = begin; i < width; i += step) {
    load<N>(v, x, i, width, aligned);
    for (int k = 0; k < N; k++) sum += v[k];
  }
  float mean = sum_of_block(sum) / width;
  float squares = 0.f;
  for (int i = begin; i < width; i += step) {  // again, from the cache
    load<N>(v, x, i, width, aligned);
    for (int k = 0; k < N; k++) {
      float d = i + k < width ? v[k] - mean : 0.f;
      squares += d * d;
    }
  }
  float by = rsqrtf(sum_of_block(squares) / width + eps);
  for (int i = begin; i < width; i += step) {
    float times[N], plus[N];
    load<N>(v, x, i, width, aligned);
    load<N>(times, factor + batch * factor_batch, i, width, aligned);
    load<N>(plus, shift + batch * shift_batch, i, width, aligned);
    for (int k = 0; k < N; k++) v[k] = (v[k] - mean) * by * times[k] + plus[k];
    store<N>(out, v, i, width, aligned);
  }
}

// out = x + gate*y of x and y (B, L, C), gate (B, C); out may be x itself. A thread has N elements of a token.
template <typename T> __device__ void add_gated(
    T* out, long long out_batch, long long out_token, const T* x, long long x_batch, long long x_token, const T* y,
    long long y_batch, long long y_token, const T* gate, long long gate_batch, int tokens, int width, int rows,
    int aligned) {
  const int N = Per<T>::COUNT;
  int runs = (width + N - 1) / N;  // of a token
  long long run = (long long) blockIdx.x * blockDim.x + threadIdx.x;
  if (run >= (long long) rows * runs) return;
  int row = (int) (run / runs);
  int i = (int) (run % runs) * N;
  int batch = row / tokens;
  int token = row % tokens;
  float a[N], b[N], g[N];
  load<N>(a, x + batch * x_batch + token * x_token, i, width, aligned);
  load<N>(b, y + batch * y_batch + token * y_token, i, width, aligned);
  load<N>(g, gate + batch * gate_batch, i, width, aligned);
  for (int k = 0; k < N; k++) a[k] += g[k] * b[k];
  store<N>(out + batch * out_batch + token * out_token, a, i, width, aligned);
}

#define KERNELS(NAME, T) \
  extern "C" __global__ void norm_rotate_##NAME( \
      T* packed, long long batch_stride, long long token_stride, const T* weights, const float* rotation, \
      long long rotation_stride, int tokens, int heads, int size, int first, int rows, int lanes, float eps, int aligned) { \
    norm_rotate<T>(packed, batch_stride, token_stride, weights, rotation, rotation_stride, tokens, heads, size, first, \
        rows, lanes, eps, aligned); \
  } \
  extern "C" __global__ void modulate_##NAME( \
      T* out, long long out_batch, long long out_token, const T* x, long long x_batch, long long x_token, \
      const T* shift, long long shift_batch, const T* factor, long long factor_batch, int tokens, int width, float eps, \
      int aligned) { \
    modulate<T>(out, out_batch, out_token, x, x_batch, x_token, shift, shift_batch, factor, factor_batch, tokens, width, \
        eps, aligned); \
  } \
  extern "C" __global__ void add_gated_##NAME( \
      T* out, long long out_batch, long long out_token, const T* x, long long x_batch, long long x_token, const T* y, \
      long long y_batch, long long y_token, const T* gate, long long gate_batch, int tokens, int width, int rows, \
      int aligned) { \
    add_gated<T>(out, out_batch, out_token, x, x_batch, x_token, y, y_batch, y_token, gate, gate_batch, tokens, width, \
        rows, aligned); \
  }

KERNELS(float32, float)
KERNELS(bfloat16, BFloat16)
KERNELS(float16, Float16)
