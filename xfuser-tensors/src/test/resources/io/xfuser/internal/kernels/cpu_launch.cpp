// The kernels as functions of the CPU. Returns 0, or 1 if there is none of that name.
#include "cpu_grid.h"
#include "fused.cu"

extern "C" int launch_on_cpu(const char* name, int blocks, int threads, void** arguments) {
#define CASE(KERNEL) \
  if (strcmp(name, #KERNEL) == 0) { launch(KERNEL, blocks, threads, arguments); return 0; }
#define CASES(TYPE) CASE(norm_rotate_##TYPE) CASE(modulate_##TYPE) CASE(add_gated_##TYPE)
  CASES(float32) CASES(bfloat16) CASES(float16)
  return 1;
}
