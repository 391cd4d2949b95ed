package io.xfuser.config;

import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.ElementType;
import java.util.Locale;

/** The values of {@link RuntimeConfig} that have a notation of their own. */
final class RuntimeKinds {
  static final Kind<ElementType> ELEMENTS =
      Kind.parsed(ElementType.class, RuntimeKinds::elementType, ElementType::torchName);

  static final Kind<AttentionKernel> KERNEL =
      Kind.parsed(AttentionKernel.class, RuntimeKinds::kernel, AttentionKernel::kernelName);

  private RuntimeKinds() {}

  private static ElementType elementType(String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "float32", "fp32" -> ElementType.FLOAT32;
      case "bfloat16", "bf16" -> ElementType.BFLOAT16;
      case "float16", "fp16" -> ElementType.FLOAT16;
      default -> throw new Kind.Wrong("float32, bfloat16 or float16", text);
    };
  }

  /** As xDiT reads it, {@code None} and an empty text leave the choice open. */
  private static AttentionKernel kernel(String text) {
    boolean open = text.isEmpty() || text.equals("None") || text.equals("fastest");
    return open ? AttentionKernel.FASTEST : AttentionKernel.of(text);
  }
}
