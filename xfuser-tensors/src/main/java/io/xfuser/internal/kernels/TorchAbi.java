package io.xfuser.internal.kernels;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import io.xfuser.internal.natives.LoadedLibraries;

/**
 * Functions of libtorch with C's calling convention, which its versions from 2.7 on have alike
 * ({@code torch/csrc/inductor/aoti_torch/c/shim.h}). Each returns 0, or another number if it fails.
 */
final class TorchAbi {
  private TorchAbi() {}

  /**
   * Binds the functions to the library in {@code file}.
   *
   * @throws UnsatisfiedLinkError if it lacks one
   */
  static void bind(String file) {
    Native.register(TorchAbi.class, NativeLibrary.getInstance(file, LoadedLibraries.OPENED));
  }

  static native int aoti_torch_library_init_def(String ns, String file, int line, long[] library);

  static native int aoti_torch_library_init_impl(
      String ns, String dispatchKey, String file, int line, long[] library);

  static native int aoti_torch_library_def(long library, String schema);

  static native int aoti_torch_library_impl(long library, String name, Operators.Body body);

  static native int aoti_torch_get_data_ptr(long tensor, long[] address);

  static native int aoti_torch_get_dim(long tensor, long[] dimensions);

  static native int aoti_torch_get_sizes(long tensor, long[] sizes);

  static native int aoti_torch_get_strides(long tensor, long[] strides);

  static native int aoti_torch_get_dtype(long tensor, int[] type);

  static native int aoti_torch_get_device_type(long tensor, int[] type);

  static native int aoti_torch_get_device_index(long tensor, int[] index);

  static native int aoti_torch_delete_tensor_object(long tensor);
}
