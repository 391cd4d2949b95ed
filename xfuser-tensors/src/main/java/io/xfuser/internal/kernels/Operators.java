package io.xfuser.internal.kernels;

import com.sun.jna.Callback;
import com.sun.jna.Pointer;
import io.xfuser.failure.PlatformException;
import io.xfuser.internal.failure.Reason;
import io.xfuser.internal.failure.Retried;
import io.xfuser.internal.natives.LoadedLibraries;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiPredicate;

/**
 * The operators {@code xfuser::…}, which TorchScript calls as {@code ops.xfuser.…}: libtorch's
 * dispatcher has them call back into this JVM. Each writes into its first tensor and returns
 * whether it did. libtorch keeps them until the process ends.
 */
final class Operators {
  /** For tensors on any device: the kernels themselves decline those of others. */
  private static final String ANY_DEVICE = "CompositeExplicitAutograd";

  private static final String SETTING = "fused_kernels";

  private static final Retried<Operators> REGISTERED = new Retried<>(Operators::new);

  /** An operator's body: reads its arguments off {@code stack} and leaves its result there. */
  interface Body extends Callback {
    void invoke(Pointer stack, long arguments, long results);
  }

  /** JNA would free what libtorch alone refers to. */
  @SuppressWarnings({"FieldCanBeLocal", "unused"})
  private final List<Body> kept = new ArrayList<>();

  /**
   * Registers them, if that is not done.
   *
   * @throws PlatformException if libtorch has not the functions for it
   */
  static void register() {
    Operators unused = REGISTERED.get();
  }

  private Operators() {
    bind();
    long[] definitions = new long[1];
    long[] bodies = new long[1];
    require(TorchAbi.aoti_torch_library_init_def("xfuser", "fused.py", 1, definitions));
    require(TorchAbi.aoti_torch_library_init_impl("xfuser", ANY_DEVICE, "fused.py", 1, bodies));
    Adding adding =
        (name, schema, operator) -> add(definitions[0], bodies[0], name + schema, operator);
    adding.add(
        "norm_rotate",
        "(Tensor(a!) packed, Tensor weights, Tensor rotation, float eps) -> bool",
        (kernels, a) -> kernels.normRotate(a.tensor(0), a.tensor(1), a.tensor(2), a.number(3)));
    adding.add(
        "modulate",
        "(Tensor(a!) out, Tensor x, Tensor shift, Tensor factor, float eps) -> bool",
        (kernels, a) ->
            kernels.modulate(a.tensor(0), a.tensor(1), a.tensor(2), a.tensor(3), a.number(4)));
    adding.add(
        "add_gated",
        "(Tensor(a!) out, Tensor x, Tensor y, Tensor gate) -> bool",
        (kernels, a) -> kernels.addGated(a.tensor(0), a.tensor(1), a.tensor(2), a.tensor(3)));
  }

  private static void bind() {
    String file =
        LoadedLibraries.file("torch_cpu")
            .orElseThrow(() -> new PlatformException(SETTING + " needs a libtorch on Linux"));
    try {
      TorchAbi.bind(file);
    } catch (LinkageError e) {
      String sentence = SETTING + " needs a libtorch that takes operators from outside, as 2.7.1: ";
      throw new PlatformException(sentence + Reason.of(e), e);
    }
  }

  @FunctionalInterface
  private interface Adding {
    void add(String name, String schema, BiPredicate<FusedKernels, Arguments> operator);
  }

  private void add(
      long definitions, long bodies, String schema, BiPredicate<FusedKernels, Arguments> operator) {
    int tensors = schema.split("Tensor", -1).length - 1; // they come first
    Body body =
        (stack, arguments, results) -> {
          Arguments given = new Arguments(stack.getLongArray(0, (int) arguments));
          stack.setLong(0, 0); // false, in the first one's place
          boolean done =
              FusedKernels.ofThread()
                  .map(kernels -> kernels.attempt(() -> operator.test(kernels, given)))
                  .orElse(false);
          for (int i = 0; i < tensors; i++) {
            int unused = TorchAbi.aoti_torch_delete_tensor_object(given.values()[i]);
          }
          stack.setLong(0, done ? 1 : 0);
        };
    kept.add(body);
    require(TorchAbi.aoti_torch_library_def(definitions, schema));
    require(
        TorchAbi.aoti_torch_library_impl(bodies, schema.substring(0, schema.indexOf('(')), body));
  }

  private static void require(int error) {
    if (error != 0) {
      throw new IllegalStateException("libtorch has printed why " + SETTING + " fails");
    }
  }

  /**
   * What an operator was called with.
   *
   * @param values handles of tensors, whose bodies free them, and the bits of numbers
   */
  @SuppressWarnings("ArrayRecordComponent") // of one call
  private record Arguments(long[] values) {
    KernelTensor tensor(int i) {
      long handle = values[i];
      long[] found = new long[1];
      int[] number = new int[1];
      require(TorchAbi.aoti_torch_get_dim(handle, found));
      int dimensions = Math.toIntExact(found[0]);
      require(TorchAbi.aoti_torch_get_sizes(handle, found));
      List<Long> sizes = numbers(found[0], dimensions);
      require(TorchAbi.aoti_torch_get_strides(handle, found));
      List<Long> strides = numbers(found[0], dimensions);
      require(TorchAbi.aoti_torch_get_dtype(handle, number));
      int type = number[0];
      require(TorchAbi.aoti_torch_get_device_type(handle, number));
      int deviceType = number[0];
      require(TorchAbi.aoti_torch_get_device_index(handle, number));
      require(TorchAbi.aoti_torch_get_data_ptr(handle, found));
      return new KernelTensor(found[0], type, deviceType, number[0], sizes, strides);
    }

    private static List<Long> numbers(long address, int count) {
      return Arrays.stream(new Pointer(address).getLongArray(0, count)).boxed().toList();
    }

    float number(int i) {
      return (float) Double.longBitsToDouble(values[i]);
    }
  }
}
