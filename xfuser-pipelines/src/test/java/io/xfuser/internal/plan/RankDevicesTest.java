package io.xfuser.internal.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import io.xfuser.config.DeviceChoice;
import io.xfuser.config.Offload;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.device.Gpus;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class RankDevicesTest {
  private static final RuntimeConfig AUTO = RuntimeConfig.builder().build();

  @ParameterizedTest
  @CsvSource({
    "auto,   0, cpu cpu cpu cpu",
    "auto,   1, cuda:0 cuda:0 cuda:0 cuda:0",
    "auto,   3, cuda:0 cuda:1 cuda:2 cuda:0",
    "cpu,    3, cpu cpu cpu cpu",
    "cuda,   1, cuda:0 cuda:0 cuda:0 cuda:0",
    "cuda,   2, cuda:0 cuda:1 cuda:0 cuda:1",
    "cuda,   8, cuda:0 cuda:1 cuda:2 cuda:3",
    "cuda:1, 2, cuda:1 cuda:1 cuda:1 cuda:1"
  })
  void ranksTakeTheNextGpuEachOrShareTheOneNamed(String asked, int gpus, String expected) {
    RankDevices devices =
        new RankDevices(AUTO.toBuilder().device(asked).build(), new Gpus(gpus > 0, gpus));
    List<String> found = IntStream.range(0, 4).mapToObj(devices::of).map(Torch::name).toList();
    assertThat(String.join(" ", found)).isEqualTo(expected);
  }

  @Test
  void aLibtorchWithCudaButNoGpuIsTheCpuForAuto() {
    assertThat(new RankDevices(AUTO, new Gpus(true, 0)).of(0)).isEqualTo(Device.cpu());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "cuda   | false | 0 | device cuda cannot be had: this libtorch is one for CPUs only;"
            + " DJL's cu128 natives, or PYTORCH_LIBRARY_PATH, bring one with CUDA",
        "cuda:1 | true  | 0 | device cuda:1 cannot be had: libtorch finds no GPU",
        "cuda:1 | true  | 1 | device cuda:1 cannot be had: the GPUs found are cuda:0 alone",
        "cuda:9 | true  | 8 | device cuda:9 cannot be had: the GPUs found are cuda:0 to cuda:7"
      })
  void aGpuThatIsNotThereIsRefusedWithWhatWasFound(
      String asked, boolean cuda, int count, String sentence) {
    assertThatThrownBy(
            () -> new RankDevices(AUTO.toBuilder().device(asked).build(), new Gpus(cuda, count)))
        .isInstanceOf(ArgumentException.class)
        .hasMessage(sentence);
  }

  @ParameterizedTest
  @EnumSource(
      value = Offload.class,
      names = {"MODEL", "SEQUENTIAL"})
  void nothingCanLeaveAGpuThatIsNotThere(Offload offload) {
    RuntimeConfig runtime = AUTO.toBuilder().offload(offload).build();
    assertThatThrownBy(() -> new RankDevices(runtime, new Gpus(true, 0)))
        .hasMessage(
            "offload "
                + offload.name().toLowerCase(Locale.ROOT)
                + " cannot be had: libtorch finds no GPU");
    assertThatThrownBy(() -> new RankDevices(runtime, Gpus.NONE))
        .hasMessageStartingWith(
            "offload "
                + offload.name().toLowerCase(Locale.ROOT)
                + " cannot be had: this libtorch is one for CPUs");
    assertThat(new RankDevices(runtime, new Gpus(true, 1)).of(0)).isEqualTo(Device.gpu(0));
  }

  @Test
  void ownKernelsNeedAGpuThatIsThere() {
    RuntimeConfig fused = AUTO.toBuilder().fusedKernels(true).build();
    assertThatThrownBy(() -> new RankDevices(fused, new Gpus(true, 0)))
        .hasMessage("fused_kernels true cannot be had: libtorch finds no GPU");
    assertThat(new RankDevices(fused, new Gpus(true, 1)).of(0)).isEqualTo(Device.gpu(0));
  }

  @Test
  void aStreamForEachCallIsRefusedWhereAGpuWouldCompute() {
    String setting = "ai.djl.pytorch.enable_cuda_stream";
    Gpus two = new Gpus(true, 2);
    System.setProperty(setting, "true");
    try {
      for (String asked : List.of("auto", "cuda", "cuda:1")) {
        assertThatThrownBy(() -> new RankDevices(AUTO.toBuilder().device(asked).build(), two))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage(
                "-Dai.djl.pytorch.enable_cuda_stream=true cannot be used with GPUs: each call would"
                    + " compute in a stream of its own, and what follows would not wait for it");
      }
      assertThatThrownBy(() -> Gpus.enter(Device.gpu(0))).hasMessageStartingWith("-D" + setting);
      assertThat(new RankDevices(AUTO.toBuilder().device("cpu").build(), two).of(0))
          .isEqualTo(Device.cpu());
      assertThat(new RankDevices(AUTO, Gpus.NONE).of(0)).isEqualTo(Device.cpu());
    } finally {
      System.clearProperty(setting);
    }
    assertThat(new RankDevices(AUTO, two).of(1)).isEqualTo(Device.gpu(1));
  }

  @Test
  void autoAsksForNothing() {
    assertThat(AUTO.device()).isEqualTo(DeviceChoice.AUTO);
    assertThat(new RankDevices(AUTO, Gpus.NONE).of(0)).isEqualTo(Device.cpu());
  }
}
