// What CUDA C has and C++ has not, played on the CPU: a grid's blocks run one after the other, the threads of a block as
// fibers of one thread of the CPU. A fiber runs until it has to meet others, __syncthreads or a shuffle, and goes on when
// all that are not finished have come there; so a kernel in which some never come is found out, not waited for.
#include <csetjmp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <ucontext.h>
#include <utility>
#include <vector>

#define __device__ static inline
#define __global__
#define __shared__ static thread_local

struct Index { unsigned x; };
static thread_local Index threadIdx, blockIdx, blockDim;

static float __uint_as_float(unsigned bits) { float x; memcpy(&x, &bits, 4); return x; }
static unsigned __float_as_uint(float x) { unsigned bits; memcpy(&bits, &x, 4); return bits; }
static float rsqrtf(float x) { return 1.f / sqrtf(x); }

static float of_half_bits(unsigned short bits) {
  int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  float x = exponent == 31 ? (mantissa ? NAN : INFINITY)
      : exponent ? ldexpf(1024 + mantissa, exponent - 25) : ldexpf(mantissa, -24);
  return bits >> 15 ? -x : x;
}

static unsigned short half_bits(float x) {
  unsigned short sign = __float_as_uint(x) >> 31 << 15;
  float size = fabsf(x);
  if (x != x) return 0x7fff;
  if (size >= 65520) return sign | 0x7c00;
  int exponent;
  frexpf(size, &exponent);
  int step = exponent < -13 ? -24 : exponent - 11;  // the distance of its neighbours, as a power of two
  int mantissa = (int) nearbyintf(ldexpf(size, -step));
  return sign | (unsigned short) ((step == -24 ? 0 : (step + 24) << 10) + mantissa);
}

struct Fiber {
  ucontext_t begin;
  jmp_buf at;
  bool started, finished;
  const char* waits;  // what for
  float shown;  // to the other threads of its warp
};
static thread_local std::vector<Fiber> fibers;
static thread_local std::vector<char> stacks;
static thread_local jmp_buf block_at;
static thread_local void (*body)(void*);
static thread_local void* body_argument;
static const int STACK = 16384;

static void fiber_main() {
  body(body_argument);
  fibers[threadIdx.x].finished = true;
  _longjmp(block_at, 1);
}

// the others run up to here, at the same barrier
static void meet(const char* barrier) {
  unsigned own = threadIdx.x;
  fibers[own].waits = barrier;
  if (_setjmp(fibers[own].at) == 0) _longjmp(block_at, 1);
  threadIdx.x = own;
}

static void __syncthreads() { meet("__syncthreads"); }

static float __shfl_xor_sync(unsigned mask, float x, int offset) {
  (void) mask;  // all threads
  fibers[threadIdx.x].shown = x;
  meet("a shuffle");
  float other = fibers[threadIdx.x ^ (unsigned) offset].shown;
  meet("the end of a shuffle");
  return other;
}

static void resume(unsigned thread) {
  threadIdx.x = thread;
  Fiber& fiber = fibers[thread];
  if (_setjmp(block_at) != 0) return;
  if (fiber.started) _longjmp(fiber.at, 1);
  fiber.started = true;
  getcontext(&fiber.begin);
  fiber.begin.uc_stack.ss_sp = stacks.data() + (size_t) thread * STACK;
  fiber.begin.uc_stack.ss_size = STACK;
  makecontext(&fiber.begin, fiber_main, 0);
  setcontext(&fiber.begin);
}

static void run_block() {
  for (Fiber& fiber : fibers) fiber.started = fiber.finished = false;
  for (size_t finished = 0; finished < fibers.size();) {
    const char* barrier = nullptr;
    size_t waiting = 0;
    finished = 0;
    for (size_t thread = 0; thread < fibers.size(); thread++) {
      if (!fibers[thread].finished) resume((unsigned) thread);
      if (fibers[thread].finished) {
        finished++;
      } else if (waiting++ == 0) {
        barrier = fibers[thread].waits;
      } else if (strcmp(barrier, fibers[thread].waits) != 0) {
        fprintf(stderr, "threads of a block wait for different things: %s, %s\n", barrier, fibers[thread].waits);
        abort();
      }
    }
    if (finished > 0 && waiting > 0) {
      fprintf(stderr, "%zu threads wait for %s, but %zu have ended\n", waiting, barrier, finished);
      abort();
    }
  }
}

template <typename... A> struct Call {
  void (*kernel)(A...);
  void** arguments;
  template <size_t... I> void run(std::index_sequence<I...>) { kernel(*static_cast<A*>(arguments[I])...); }
  static void start(void* self) { static_cast<Call*>(self)->run(std::index_sequence_for<A...>()); }
};

template <typename... A> static void launch(void (*kernel)(A...), int blocks, int threads, void** arguments) {
  Call<A...> call{kernel, arguments};
  body = Call<A...>::start;
  body_argument = &call;
  fibers.resize(threads);
  stacks.resize((size_t) threads * STACK);
  blockDim.x = threads;
  for (int block = 0; block < blocks; block++) {
    blockIdx.x = block;
    run_block();
  }
}
