package io.xfuser.torchscript;

import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.natives.Cudnn;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Which of libtorch's kernels computes self-attention, by xDiT's names (its {@code
 * AttentionBackendType}). What each takes is from libtorch 2.7.1's {@code
 * aten/src/ATen/native/transformers/cuda/sdp_utils.cpp}; the limits are those of an inference on
 * heads that are filled up to a multiple of 8 elements.
 */
public enum AttentionKernel {
  /** What is fastest on the device in the element type, as far as it was measured. */
  FASTEST(true, true, Integer.MAX_VALUE),
  /** libtorch's own choice. */
  SDPA(true, true, Integer.MAX_VALUE),
  /** FlashAttention 2 on CUDA, the fused kernel on the CPU. */
  SDPA_FLASH(true, false, 256),
  /** The memory-efficient kernel of xFormers. */
  SDPA_EFFICIENT(false, true, Integer.MAX_VALUE),
  /** Matrix products and a softmax. */
  SDPA_MATH(true, true, Integer.MAX_VALUE),
  /** cuDNN's. */
  CUDNN(false, false, 128);

  /** What xDiT's names of kernels begin with that are not libtorch's. */
  private static final Pattern FOREIGN =
      Pattern.compile("(flash|nvte|sage|flex|aiter|triton|npu)(_.*)?");

  private static final int CUDNN_BLOCK = 128;
  private static final long CUDNN_OF_ANY_LENGTH = 91501; // 9.15.1

  private final boolean cpu;
  private final boolean cudaFloat32;
  private final int cudaHeadSize;

  AttentionKernel(boolean cpu, boolean cudaFloat32, int cudaHeadSize) {
    this.cpu = cpu;
    this.cudaFloat32 = cudaFloat32;
    this.cudaHeadSize = cudaHeadSize;
  }

  /** The name, {@code sdpa_flash} for example. */
  public String kernelName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The kernel of that name, in whatever case.
   *
   * @throws ArgumentException for a kernel of another package, and for other names
   */
  public static AttentionKernel of(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    for (AttentionKernel kernel : values()) {
      if (kernel != FASTEST && kernel.kernelName().equals(lower)) {
        return kernel;
      }
    }
    if (FOREIGN.matcher(lower).matches()) {
      throw new ArgumentException(
          lower
              + " is a kernel of another package, which only Python can call; libtorch's own are "
              + names());
    }
    throw new ArgumentException("must be one of " + names() + ", but is " + name);
  }

  private static String names() {
    return Arrays.stream(values())
        .filter(kernel -> kernel != FASTEST)
        .map(AttentionKernel::kernelName)
        .collect(Collectors.joining(", "));
  }

  /**
   * Why this kernel cannot attend in {@code type} on a GPU or the CPU, in words to follow its name.
   */
  public Optional<String> refusal(boolean gpu, ElementType type) {
    if (!gpu && !cpu) {
      return Optional.of("is a kernel for CUDA, but the device is the CPU");
    }
    if (gpu && !cudaFloat32 && type == ElementType.FLOAT32) {
      return Optional.of(
          "attends in float16 and bfloat16 on CUDA, but the element type is float32");
    }
    return Optional.empty();
  }

  /** Why this kernel cannot attend with heads of {@code size} elements, in the same words. */
  public Optional<String> refusal(boolean gpu, int size) {
    if (gpu && size > cudaHeadSize) {
      return Optional.of(
          "takes heads of at most %d elements on CUDA, but the model's have %d"
              .formatted(cudaHeadSize, size));
    }
    return Optional.empty();
  }

  /**
   * Refuses to attend where this kernel cannot.
   *
   * @param gpu whether on a GPU, else on the CPU
   * @param headSize the width of the model's heads
   * @throws ArgumentException with the reason, in one sentence
   */
  public void require(boolean gpu, ElementType type, int headSize) {
    require(refusal(gpu, type).or(() -> refusal(gpu, headSize)));
  }

  private void require(Optional<String> refusal) {
    refusal.ifPresent(
        reason -> {
          throw new ArgumentException("attention_backend " + kernelName() + " " + reason);
        });
  }

  /**
   * Whether this kernel may attend with {@code queries} tokens at a time on a GPU; the others take
   * any number.
   *
   * @throws ArgumentException if cuDNN is too old for that number
   */
  public void requireQueries(long queries) {
    if (this == CUDNN) {
      require(refusal(queries, Cudnn.version()));
    }
  }

  /**
   * Why cuDNN cannot attend with {@code queries} tokens, in the same words. It takes numbers that
   * 128 does not divide, but has faults there: later versions of libtorch prefer cuDNN from 9.15.1
   * on only ({@code check_prefer_cudnn_attention} in {@code sdp_utils.cpp}). libtorch 2.7.1 does
   * not know.
   *
   * @param cudnn its version; nothing where it cannot be asked
   */
  static Optional<String> refusal(long queries, OptionalLong cudnn) {
    if (queries % CUDNN_BLOCK == 0 || cudnn.orElse(0) >= CUDNN_OF_ANY_LENGTH) {
      return Optional.empty();
    }
    String version = cudnn.isPresent() ? Cudnn.name(cudnn.getAsLong()) : "of unknown version";
    return Optional.of(
        ("is asked for %d queries at a time, but cuDNN is to be trusted with numbers that 128 does"
                + " not divide from 9.15.1 on, and this one is %s; sdpa_flash takes any number")
            .formatted(queries, version));
  }
}
