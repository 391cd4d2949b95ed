package io.xfuser.examples.realsize;

import java.nio.ByteBuffer;

/** How numbers are written, by the names of safetensors. */
enum StoredType {
  F32(4, 0, 0),
  F16(2, 5, 10),
  BF16(2, 8, 7),
  F8_E4M3(1, 4, 3);

  private final int bytes;
  private final int exponentBits;
  private final int mantissaBits;

  StoredType(int bytes, int exponentBits, int mantissaBits) {
    this.bytes = bytes;
    this.exponentBits = exponentBits;
    this.mantissaBits = mantissaBits;
  }

  /** Of a number. */
  int bytes() {
    return bytes;
  }

  /** Appends a number, which must be within the range of the type. */
  void put(ByteBuffer out, float value) {
    switch (this) {
      case F32 -> out.putFloat(value);
      case F16, BF16 -> out.putShort((short) bits(value));
      case F8_E4M3 -> out.put((byte) bits(value));
    }
  }

  /** Sign, exponent and mantissa of the nearest number. */
  int bits(float value) {
    int bias = (1 << (exponentBits - 1)) - 1;
    float size = Math.abs(value);
    int exponent = Math.max(Math.getExponent(size), 1 - bias);
    int mantissa = Math.round(Math.scalb(size, mantissaBits - exponent)); // with its leading 1
    int sign = Float.floatToRawIntBits(value) < 0 ? 1 : 0;
    return (sign << (exponentBits + mantissaBits))
        + ((exponent + bias - 1) << mantissaBits)
        + mantissa;
  }
}
