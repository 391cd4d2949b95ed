package io.xfuser.torchscript;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import java.util.Locale;

/** The element types that weights, hidden states and messages have. */
public enum ElementType {
  FLOAT32(6, 4, "F32"),
  FLOAT16(5, 2, "F16"),
  BFLOAT16(15, 2, "BF16"),
  FLOAT64(7, 8, "F64"),
  INT64(4, 8, "I64"),
  INT32(3, 4, "I32"),
  INT8(1, 1, "I8"),
  UINT8(0, 1, "U8"),
  BOOL(11, 1, "BOOL");

  private final int scalarType;
  private final int bytes;
  private final String safeTensorsName;

  ElementType(int scalarType, int bytes, String safeTensorsName) {
    this.scalarType = scalarType;
    this.bytes = bytes;
    this.safeTensorsName = safeTensorsName;
  }

  /** libtorch's {@code c10::ScalarType}, as TorchScript's {@code dtype=} takes it. */
  public int scalarType() {
    return scalarType;
  }

  /** Bytes per element. */
  public int bytes() {
    return bytes;
  }

  /** The name in a safetensors header, {@code F32} for example. */
  public String safeTensorsName() {
    return safeTensorsName;
  }

  /** The name of {@code torch.dtype}, {@code float32} for example. */
  public String torchName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The type of {@code tensor}'s elements; DJL reads bfloat16 as {@code UNKNOWN}. */
  public static ElementType of(NDArray tensor) {
    DataType type = tensor.getDataType();
    return switch (type) {
      case FLOAT32 -> FLOAT32;
      case FLOAT16 -> FLOAT16;
      case UNKNOWN, BFLOAT16 -> BFLOAT16;
      case FLOAT64 -> FLOAT64;
      case INT64 -> INT64;
      case INT32 -> INT32;
      case INT8 -> INT8;
      case UINT8 -> UINT8;
      case BOOLEAN -> BOOL;
      default -> throw new IllegalArgumentException("tensors of " + type + " are not supported");
    };
  }

  /** Bytes of {@code tensor}'s elements. */
  public static long bytesOf(NDArray tensor) {
    return tensor.size() * of(tensor).bytes;
  }
}
