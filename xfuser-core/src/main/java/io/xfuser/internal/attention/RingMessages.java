package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.List;

/**
 * What ranks of a ring, or those with other patches, are told of one attention's keys and values.
 */
interface RingMessages {
  /** The keys and values themselves. */
  RingMessages WHOLE =
      new RingMessages() {
        @Override
        public List<NDArray> of(NDManager owner, NDArray kv, int own) {
          return List.of(kv);
        }

        @Override
        public NDArray read(NDManager owner, List<NDArray> message, int rank) {
          return message.get(0);
        }
      };

  /** The message that tells {@code kv} (B, L, 2, H, D), those of this rank, {@code own}. */
  List<NDArray> of(NDManager owner, NDArray kv, int own);

  /** The keys and values (B, L, 2, H, D) of {@code rank}, which a message of it tells. */
  NDArray read(NDManager owner, List<NDArray> message, int rank);

  /** Bytes of what is kept between calls. */
  default long bytes() {
    return 0;
  }
}
