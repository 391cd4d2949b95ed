package io.xfuser.models.internal.lora;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.models.internal.weights.Cut;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LoraWeightsTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");

  private static ComponentWeights model(ElementType type) {
    return ComponentWeights.open(
        FIXTURES.resolve("flux_dev_tiny/transformer"),
        "diffusion_pytorch_model",
        LoadOptions.of(type));
  }

  private static LoraFit fit(LoraFile file, ComponentWeights model) {
    return LoraFit.of(file, LoraTargets.of("transformer", model.shapes()), 0.7);
  }

  @ParameterizedTest
  @ValueSource(strings = {"flux_diffusers", "flux_kohya", "flux_dora", "flux_lycoris"})
  void aPartIsThatPartOfTheWhole(String name) {
    try (ComponentWeights model = model(ElementType.FLOAT32);
        LoraFile file = LoraFile.open(FIXTURES.resolve("loras/" + name + ".safetensors"));
        NDManager manager = Torch.newManager()) {
      LoraFit fit = fit(file, model);
      Weights weights = new LoraWeights(model.handedOut(), fit.changes(), Device.cpu());
      for (String tensor : fit.changes().keySet()) {
        long[] shape = model.shape(tensor);
        NDArray whole = weights.get(manager, tensor, shape);
        for (int dim = 0; dim < Math.min(2, shape.length); dim++) {
          long third = shape[dim] / 3;
          for (Cut cut : new Cut[] {new Cut(dim, 0, third), new Cut(dim, third, shape[dim])}) {
            NDArray part = weights.get(manager, cut, tensor, shape);
            NDArray expected =
                Torch.contiguous(manager, Torch.slice(manager, whole, dim, cut.from(), cut.to()));
            assertThat(part.getShape()).isEqualTo(expected.getShape());
            assertThat(Pixels.largestDifference(part, expected))
                .as("%s of %s", cut, tensor)
                .isLessThan(1e-6);
          }
        }
      }
    }
  }

  /** As diffusers widens A with zeros: {@code _maybe_expand_lora_state_dict}. */
  @Test
  void aFirstLayerWithMoreInputsIsChangedInTheFirstOfThem(@TempDir Path files) throws IOException {
    String tensor = "x_embedder.weight";
    try (ComponentWeights model = model(ElementType.FLOAT32);
        NDManager manager = Torch.newManager()) {
      long[] shape = model.shape(tensor);
      NDArray narrow = manager.randomUniform(-1, 1, new Shape(2, shape[1] - 5));
      NDArray zeros = manager.zeros(new Shape(2, 5));
      NDArray up = manager.randomUniform(-1, 1, new Shape(shape[0], 2));
      NDArray found = embedder(manager, model, lora(files.resolve("a.safetensors"), narrow, up));
      NDArray whole = Torch.concat(manager, List.of(narrow, zeros), 1);
      NDArray expected = embedder(manager, model, lora(files.resolve("b.safetensors"), whole, up));
      assertThat(found.toFloatArray()).isEqualTo(expected.toFloatArray());
      assertThat(found.toFloatArray())
          .isNotEqualTo(model.handedOut().get(manager, tensor, shape).toFloatArray());
    }
  }

  private static Path lora(Path file, NDArray down, NDArray up) throws IOException {
    SafeTensorsWriter.write(
        file,
        Map.of("lora_unet_img_in.lora_down.weight", down, "lora_unet_img_in.lora_up.weight", up));
    return file;
  }

  private static NDArray embedder(NDManager manager, ComponentWeights model, Path path) {
    try (LoraFile file = LoraFile.open(path)) {
      Weights weights =
          new LoraWeights(model.handedOut(), fit(file, model).changes(), Device.cpu());
      return weights.get(manager, "x_embedder.weight", model.shape("x_embedder.weight"));
    }
  }

  @Test
  void inHalfPrecisionTheSumIsRoundedOnce() {
    try (ComponentWeights half = model(ElementType.BFLOAT16); // as in the file
        ComponentWeights single = model(ElementType.FLOAT32);
        LoraFile file = LoraFile.open(FIXTURES.resolve("loras/flux_kohya.safetensors"));
        NDManager manager = Torch.newManager()) {
      Map<String, ?> changes = fit(file, half).changes();
      Weights rounded = new LoraWeights(half.handedOut(), fit(file, half).changes(), Device.cpu());
      Weights exact =
          new LoraWeights(single.handedOut(), fit(file, single).changes(), Device.cpu());
      for (String tensor : changes.keySet()) {
        long[] shape = half.shape(tensor);
        NDArray ours = rounded.get(manager, tensor, shape);
        NDArray once = Torch.cast(manager, exact.get(manager, tensor, shape), ElementType.BFLOAT16);
        assertThat(Torch.cast(manager, ours, ElementType.FLOAT32).toFloatArray())
            .isEqualTo(Torch.cast(manager, once, ElementType.FLOAT32).toFloatArray());
      }
    }
  }

  @Test
  void whatNoLoraChangesIsTheFileItself() {
    try (ComponentWeights model = model(ElementType.BFLOAT16);
        LoraFile file = LoraFile.open(FIXTURES.resolve("loras/flux_xlabs.safetensors"));
        NDManager manager = Torch.newManager()) {
      Weights plain = model.handedOut();
      Weights weights = new LoraWeights(plain, fit(file, model).changes(), Device.cpu());
      String tensor = "x_embedder.weight";
      assertThat(Torch.memory(weights.get(manager, tensor, model.shape(tensor))))
          .isEqualTo(Torch.memory(plain.get(manager, tensor, model.shape(tensor))));
      String changed = "transformer_blocks.0.attn.to_q.weight";
      byte[] before = bytes(plain.get(manager, changed, model.shape(changed)));
      assertThat(bytes(weights.get(manager, changed, model.shape(changed)))).isNotEqualTo(before);
      assertThat(bytes(plain.get(manager, changed, model.shape(changed)))).isEqualTo(before);
    }
  }

  private static byte[] bytes(NDArray tensor) {
    byte[] bytes = new byte[(int) ElementType.bytesOf(tensor)];
    Torch.memory(tensor).get(bytes);
    return bytes;
  }
}
