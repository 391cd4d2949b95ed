package io.xfuser.models.internal.weights;

import io.xfuser.torchscript.ElementType;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The element types of files, by the names that safetensors has for them: those of tensors in
 * memory, the two of 8-bit floats that libtorch widens exactly, and others, which no model computes
 * with. Source: {@code safetensors/src/tensor.rs}.
 */
enum StoredType {
  F32(ElementType.FLOAT32, true),
  F16(ElementType.FLOAT16, true),
  BF16(ElementType.BFLOAT16, true),
  F64(ElementType.FLOAT64, true),
  I64(ElementType.INT64, false),
  I32(ElementType.INT32, false),
  I8(ElementType.INT8, false),
  U8(ElementType.UINT8, false),
  BOOL(ElementType.BOOL, false),
  F8_E4M3(24, 1, true),
  F8_E5M2(23, 1, true),
  F8_E8M0,
  F6_E2M3,
  F6_E3M2,
  F4,
  I16,
  U16,
  U32,
  U64,
  C64;

  private final int scalarType;
  private final int bytes;
  private final boolean floating;
  private final @Nullable ElementType inMemory;

  StoredType() {
    this(-1, 0, false);
  }

  StoredType(int scalarType, int bytes, boolean floating) {
    this.scalarType = scalarType;
    this.bytes = bytes;
    this.floating = floating;
    this.inMemory = null;
  }

  StoredType(ElementType inMemory, boolean floating) {
    this.scalarType = inMemory.scalarType();
    this.bytes = inMemory.bytes();
    this.floating = floating;
    this.inMemory = inMemory;
  }

  /** The type of this name; empty if there is none. */
  static Optional<StoredType> named(String name) {
    return Arrays.stream(values()).filter(type -> type.name().equals(name)).findFirst();
  }

  /** Whether it can be read at all. */
  boolean readable() {
    return bytes > 0;
  }

  /** libtorch's {@code c10::ScalarType}. */
  int scalarType() {
    return scalarType;
  }

  /** Bytes per element; 0 for one that cannot be read. */
  int bytes() {
    return bytes;
  }

  /** Whether it holds floating-point numbers that can be read. */
  boolean floating() {
    return floating;
  }

  /** What a tensor of it is in memory where no type is asked for. */
  ElementType inMemory() {
    return inMemory == null ? ElementType.FLOAT32 : inMemory;
  }
}
