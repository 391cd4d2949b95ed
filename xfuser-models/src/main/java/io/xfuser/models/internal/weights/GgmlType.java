package io.xfuser.models.internal.weights;

import java.util.Arrays;
import java.util.Optional;

/**
 * The types of GGUF files: plain ones, and blocks of numbers with scales. Source: {@code
 * gguf-py/gguf/constants.py}.
 */
enum GgmlType {
  F32(0, StoredType.F32),
  F16(1, StoredType.F16),
  Q4_0(2, 32, 18),
  Q4_1(3, 32, 20),
  Q5_0(6, 32, 22),
  Q5_1(7, 32, 24),
  Q8_0(8, 32, 34),
  Q2_K(10, 256, 84),
  Q3_K(11, 256, 110),
  Q4_K(12, 256, 144),
  Q5_K(13, 256, 176),
  Q6_K(14, 256, 210),
  I8(24, StoredType.I8),
  I32(26, StoredType.I32),
  I64(27, StoredType.I64),
  F64(28, StoredType.F64),
  BF16(30, StoredType.BF16),
  // what is not read has names alone
  Q8_1(9),
  Q8_K(15),
  IQ2_XXS(16),
  IQ2_XS(17),
  IQ3_XXS(18),
  IQ1_S(19),
  IQ4_NL(20),
  IQ3_S(21),
  IQ2_S(22),
  IQ4_XS(23),
  I16(25),
  IQ1_M(29),
  TQ1_0(34),
  TQ2_0(35),
  MXFP4(39),
  NVFP4(40);

  private final int id;
  private final int block;
  private final int blockBytes;
  private final Optional<StoredType> plain;

  GgmlType(int id) {
    this(id, 0, 0);
  }

  GgmlType(int id, int block, int blockBytes) {
    this.id = id;
    this.block = block;
    this.blockBytes = blockBytes;
    this.plain = Optional.empty();
  }

  GgmlType(int id, StoredType plain) {
    this.id = id;
    this.block = 1;
    this.blockBytes = plain.bytes();
    this.plain = Optional.of(plain);
  }

  /** The type of this number; empty if there is none. */
  static Optional<GgmlType> of(long id) {
    return Arrays.stream(values()).filter(type -> type.id == id).findFirst();
  }

  /** Its number in files. */
  int id() {
    return id;
  }

  /** Whether it can be read. */
  boolean readable() {
    return block > 0;
  }

  /** Numbers in a block; 0 in a type that is not read. */
  int block() {
    return block;
  }

  int blockBytes() {
    return blockBytes;
  }

  /** The same type outside of GGUF, if it has no blocks. */
  Optional<StoredType> plain() {
    return plain;
  }
}
