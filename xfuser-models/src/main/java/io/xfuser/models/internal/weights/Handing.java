package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.device.Upload;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import org.jspecify.annotations.Nullable;

/**
 * How tensors are handed out.
 *
 * @param type null for that of the file
 * @param upload to their device; null for the CPU
 * @param chunkBytes how much of a file is read at a time; 0: it is mapped
 * @param keeps whether linear layers are multiplied by what is in the file
 */
record Handing(@Nullable ElementType type, @Nullable Upload upload, int chunkBytes, boolean keeps) {
  /** As they are in the file. */
  static final Handing AS_STORED = new Handing(null, null, 0, false);

  /** The same device in another type. */
  Handing as(@Nullable ElementType other) {
    return new Handing(other, upload, chunkBytes, keeps);
  }

  /** The same by another way to the device. */
  Handing by(@Nullable Upload way, int chunk) {
    return new Handing(type, way, chunk, keeps);
  }

  /** The same where linear layers are multiplied by what is in the file. */
  Handing keeping() {
    return new Handing(type, upload, chunkBytes, true);
  }

  /** Whether tensors are used where the file is mapped, unless their type is another. */
  boolean inPlace() {
    return upload == null && chunkBytes == 0 && type != null;
  }

  /** The type in which a tensor that has {@code own} arrives. */
  ElementType typeOf(ElementType own) {
    return type == null ? own : type;
  }

  /**
   * The tensor whose elements begin at byte {@code offset} of {@code file}: the file itself, or
   * read from it.
   */
  NDArray stored(NDManager owner, MappedFile file, StoredType type, long offset, long... shape) {
    return chunkBytes == 0
        ? file.view(owner, type, offset, shape)
        : file.read(owner, chunkBytes, type, offset, shape);
  }

  /** {@code mapped} on the device, in the file's type. */
  NDArray placed(NDManager scope, NDArray mapped) {
    return upload == null ? mapped : upload.copy(scope, mapped);
  }

  /**
   * {@code mapped}, of any layout, handed out contiguous: it itself where nothing is to be done.
   */
  NDArray hand(NDManager owner, NDArray mapped, ElementType own) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray typed = Torch.cast(scope, placed(scope, mapped), typeOf(own));
      return Torch.contiguous(owner, typed);
    }
  }
}
