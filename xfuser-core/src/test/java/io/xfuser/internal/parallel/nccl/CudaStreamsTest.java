package io.xfuser.internal.parallel.nccl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import io.xfuser.failure.CommunicationException;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class CudaStreamsTest {
  private final Recorded cuda = new Recorded();
  private final CudaStreams streams = new CudaStreams(cuda, Device.gpu(1));

  /** A runtime that writes down what is called, and keeps the last error as CUDA's does. */
  private static final class Recorded implements Cudart {
    private final List<String> calls = new ArrayList<>();
    private String failing = "";
    private int error;
    private int last;

    private int call(String call) {
      calls.add(call);
      if (call.startsWith(failing + " ") && !failing.isEmpty()) {
        last = error;
        return error;
      }
      return 0;
    }

    /** As libtorch does after each of its launches. */
    void launchKernel() {
      if (last != 0) {
        throw new IllegalStateException("CUDA error: " + text(takeLastError()));
      }
    }

    @Override
    public int deviceCount(int[] count) {
      count[0] = 2;
      return 0;
    }

    @Override
    public int setDevice(int gpu) {
      return call("setDevice " + gpu);
    }

    @Override
    public int pciBusId(byte[] address, int gpu) {
      address[0] = '7';
      return call("pciBusId " + gpu);
    }

    @Override
    public int streamCreate(long[] stream) {
      stream[0] = 5;
      return call("streamCreate ");
    }

    @Override
    public int streamDestroy(long stream) {
      return call("streamDestroy " + stream);
    }

    @Override
    public int streamWaitEvent(long stream, long event) {
      return call("streamWaitEvent " + stream + " " + event);
    }

    @Override
    public int eventCreate(long[] event) {
      event[0] = 9;
      return call("eventCreate ");
    }

    @Override
    public int eventRecord(long event, long stream) {
      return call("eventRecord " + event + " " + stream);
    }

    @Override
    public int eventQuery(long event) {
      return call("eventQuery " + event);
    }

    @Override
    public int eventDestroy(long event) {
      return call("eventDestroy " + event);
    }

    @Override
    public int takeLastError() {
      int taken = last;
      last = 0;
      calls.add("takeLastError");
      return taken;
    }

    @Override
    public String text(int error) {
      return "error " + error;
    }
  }

  /** What a rank does to a link after a cancel, before it goes on computing. */
  @Test
  void anEventThatIsNotReadyFailsNoLaterLaunch() {
    cuda.failing = "eventQuery";
    cuda.error = Cudart.NOT_READY;
    assertThat(streams.completed(9)).isFalse();
    assertThat(cuda.calls).containsExactly("eventQuery 9", "takeLastError");
    cuda.launchKernel();
    cuda.failing = "";
    assertThat(streams.completed(9)).isTrue();
    assertThat(cuda.calls).containsExactly("eventQuery 9", "takeLastError", "eventQuery 9");
  }

  /** What is called, and the calls that may fail in it. */
  static Stream<Arguments> calls() {
    return Stream.of(
        Arguments.of("setDevice", (Call) CudaStreams::enter),
        Arguments.of("pciBusId", (Call) CudaStreams::card),
        Arguments.of("streamCreate", (Call) CudaStreams::newStream),
        Arguments.of("eventCreate", (Call) s -> s.record(5)),
        Arguments.of("eventRecord", (Call) s -> s.record(5)),
        Arguments.of("streamWaitEvent", (Call) s -> s.await(5, 9)),
        Arguments.of("eventQuery", (Call) s -> s.completed(9)));
  }

  /** Something that is done with streams. */
  interface Call {
    void of(CudaStreams streams);
  }

  @ParameterizedTest
  @MethodSource("calls")
  void aFailureIsToldOnceAndFailsNoLaterLaunch(String function, Call call) {
    cuda.failing = function;
    cuda.error = 2;
    assertThatThrownBy(() -> call.of(streams))
        .isInstanceOf(CommunicationException.class)
        .hasMessageContaining("CUDA: cuda")
        .hasMessageEndingWith(": error 2");
    cuda.launchKernel();
    cuda.failing = "";
    call.of(streams);
  }

  @Test
  void whatCannotBeReleasedFailsNoLaterLaunch() {
    cuda.error = 2;
    cuda.failing = "streamDestroy";
    streams.closeStream(5);
    cuda.launchKernel();
    cuda.failing = "eventDestroy";
    streams.closeEvent(9);
    cuda.launchKernel();
  }

  @Test
  void whatNcclHasLeftBehindFailsNoLaterLaunch() {
    cuda.last = 704;
    streams.forgetErrors();
    cuda.launchKernel();
  }

  @Test
  void anEventThatCannotBeRecordedIsReleased() {
    cuda.error = 2;
    cuda.failing = "eventRecord";
    assertThatThrownBy(() -> streams.record(5)).isInstanceOf(CommunicationException.class);
    assertThat(cuda.calls)
        .containsExactly("eventCreate ", "eventRecord 9 5", "takeLastError", "eventDestroy 9");
  }

  @Test
  void aGpuThatIsNotThereIsRefused() {
    assertThatThrownBy(() -> new CudaStreams(cuda, Device.gpu(2)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("gpu(2) of 2 GPUs");
  }

  @Test
  void theLimitOfJavaCppIsTurnedOffUnlessTheUserHasSetOne() {
    Properties untouched = new Properties();
    NcclWorld.liftMemoryLimit(untouched);
    assertThat(untouched).containsEntry("org.bytedeco.javacpp.maxPhysicalBytes", "0");
    for (String name : List.of("maxPhysicalBytes", "maxphysicalbytes")) {
      Properties set = new Properties();
      set.setProperty("org.bytedeco.javacpp." + name, "9g");
      NcclWorld.liftMemoryLimit(set);
      assertThat(set).hasSize(1).containsValue("9g");
    }
  }
}
