package io.xfuser.models.internal.weights;

import io.xfuser.torchscript.ElementType;
import java.nio.file.Path;
import java.util.List;

/** A tensor that is another one in another form, and is so in all that is not said otherwise. */
interface MadeOf extends Stored {
  Stored whole();

  @Override
  default Path file() {
    return whole().file();
  }

  @Override
  default String typeName() {
    return whole().typeName();
  }

  @Override
  default boolean floating() {
    return whole().floating();
  }

  @Override
  default boolean readable() {
    return whole().readable();
  }

  @Override
  default ElementType type() {
    return whole().type();
  }

  @Override
  default List<Extent> extents() {
    return whole().extents();
  }
}
