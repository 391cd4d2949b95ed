package io.xfuser.internal.parallel.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.internal.parallel.Channel;
import io.xfuser.torchscript.ElementType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What precedes tensors is believed only as far as it makes sense. */
class HeaderTest {
  @Test
  void aHeaderIsReadBack() throws Exception {
    Header header = header(true, 2, 3);
    Header read = Header.decode(body(header), true);
    assertThat(read.epoch()).isEqualTo(7);
    assertThat(read.channel()).isEqualTo(Channel.RING);
    assertThat(read.tensors()).hasSize(1);
    assertThat(read.tensors().get(0).shape()).containsExactly(2, 3);
    assertThat(read.tensors().get(0).shared()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 1L << 45, Long.MAX_VALUE, Long.MIN_VALUE})
  void sizesThatCannotBeAreRefusedBeforeAnythingIsAllocated(long length) {
    assertThatThrownBy(() -> Header.decode(body(header(false, length)), false))
        .isInstanceOf(IOException.class);
    assertThatThrownBy(() -> Header.decode(body(header(false, 1 << 20, length)), false))
        .isInstanceOf(IOException.class);
  }

  @Test
  void sharedMemoryThatIsNotThereIsNotReadFrom() {
    assertThatThrownBy(() -> Header.decode(body(header(true, 2)), false))
        .isInstanceOf(IOException.class);
  }

  @Test
  void noiseIsNeverAnythingButAnIoException() {
    Random random = new Random(3);
    for (int i = 0; i < 2000; i++) {
      byte[] noise = new byte[13 + random.nextInt(60)];
      random.nextBytes(noise);
      noise[8] = 0; // a channel
      noise[9] = 0;
      noise[10] = 0;
      noise[11] = 0;
      noise[12] = (byte) random.nextInt(3); // tensors
      try {
        Header.decode(ByteBuffer.wrap(noise), true);
      } catch (IOException e) {
        assertThat(e.getMessage()).isNotEmpty();
      }
    }
  }

  private static Header header(boolean shared, long... shape) {
    return new Header(
        7, Channel.RING, List.of(new Header.Tensor(ElementType.FLOAT32, shape, shared)));
  }

  /** Without the length that comes first. */
  private static ByteBuffer body(Header header) {
    return header.encode().position(Header.PREFIX);
  }
}
