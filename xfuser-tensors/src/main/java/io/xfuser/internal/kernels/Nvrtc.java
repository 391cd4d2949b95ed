package io.xfuser.internal.kernels;

import com.sun.jna.Library;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import org.jspecify.annotations.Nullable;

/** CUDA's compiler as a library, {@code libnvrtc}; what returns int returns 0 or an error. */
interface Nvrtc extends Library {
  int nvrtcGetNumSupportedArchs(int[] count);

  int nvrtcGetSupportedArchs(int[] architectures);

  int nvrtcCreateProgram(
      PointerByReference program,
      String text,
      String name,
      int headers,
      @Nullable Pointer headerTexts,
      @Nullable Pointer headerNames);

  int nvrtcCompileProgram(Pointer program, int options, String[] texts);

  int nvrtcGetProgramLogSize(Pointer program, long[] bytes);

  int nvrtcGetProgramLog(Pointer program, byte[] log);

  int nvrtcGetCUBINSize(Pointer program, long[] bytes);

  int nvrtcGetCUBIN(Pointer program, byte[] code);

  int nvrtcGetPTXSize(Pointer program, long[] bytes);

  int nvrtcGetPTX(Pointer program, byte[] text);

  int nvrtcDestroyProgram(PointerByReference program);

  String nvrtcGetErrorString(int error);
}
