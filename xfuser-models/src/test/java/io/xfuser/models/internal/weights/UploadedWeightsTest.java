package io.xfuser.models.internal.weights;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.device.Upload;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Weights on their way to a GPU, ending on the CPU. */
class UploadedWeightsTest {
  private static final Upload SMALL = new Upload(Device.cpu(), 16, false);

  @TempDir Path directory;

  private void write(NDManager manager) throws IOException {
    NDArray matrix = manager.arange(24f).sin().reshape(4, 6);
    SafeTensorsWriter.write(directory.resolve("model.safetensors"), Map.of("x.w", matrix));
  }

  @ParameterizedTest
  @EnumSource(
      value = ElementType.class,
      names = {"FLOAT32", "BFLOAT16", "FLOAT16"})
  void weightsAndTheirPartsArriveAsTheyAreOnTheCpu(ElementType type) throws IOException {
    Torch.prepareThread(1);
    try (NDManager manager = Torch.newManager()) {
      write(manager);
      try (FileWeights mapped = FileWeights.open(directory, "model", type)) {
        Weights here = mapped.at("x.");
        Weights there = mapped.through(SMALL).at("x.");
        equal(here.get(manager, "w", 4, 6), there.get(manager, "w", 4, 6));
        for (Cut cut : new Cut[] {new Cut(0, 1, 3), new Cut(1, 2, 5)}) {
          equal(here.get(manager, cut, "w", 4, 6), there.get(manager, cut, "w", 4, 6));
        }
        assertThat(there.has("w")).isTrue();
      }
    }
  }

  private static void equal(NDArray expected, NDArray found) {
    assertThat(ElementType.of(found)).isEqualTo(ElementType.of(expected));
    assertThat(found.getShape()).isEqualTo(expected.getShape());
    try (NDManager scope = Torch.newManager()) {
      assertThat(Torch.cast(scope, found, ElementType.FLOAT32).toFloatArray())
          .isEqualTo(Torch.cast(scope, expected, ElementType.FLOAT32).toFloatArray());
    }
  }

  @Test
  void onTheCpuWeightsAreTheMappedFilesThemselves() throws IOException {
    Torch.prepareThread(1);
    try (NDManager manager = Torch.newManager()) {
      write(manager);
      try (FileWeights mapped = FileWeights.open(directory, "model", ElementType.FLOAT32)) {
        assertThat(mapped.on(Device.cpu())).isSameAs(mapped);
        assertThat(mapped.on(Device.gpu(0))).isNotSameAs(mapped);
      }
    }
  }
}
