package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.ModelConfig;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.models.contract.LoraPicturesTest.Drawn;
import io.xfuser.models.internal.files.GgufWriter;
import io.xfuser.models.internal.files.OneFile;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A LoRA adds to weights of every form what it adds to the same weights in fp32. */
class LoraFormsTest {
  private static final Path LORAS = DiffusersCall.FIXTURES.resolve("loras");

  @TempDir Path files;

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  private static Drawn drawn(String name) throws IOException {
    return LoraPicturesTest.cases()
        .filter(one -> one.toString().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static ModelConfig of(ModelConfig.Builder model, Drawn drawn) {
    return model.loras(drawn.model().loras()).build();
  }

  private static NDArray picture(NDManager manager, Drawn drawn, ModelConfig model) {
    return drawn.picture(manager, engine -> engine.toBuilder().model(model).build());
  }

  @ParameterizedTest
  @ValueSource(strings = {"flux_dora", "sd3_kohya"})
  void overASingleFileThePictureIsThatOfDiffusers(String name) throws IOException {
    Drawn drawn = drawn(name);
    Path directory = drawn.call().directory();
    String table = String.valueOf(directory.getFileName());
    ModelConfig model = of(OneFile.alone(directory, table, files.resolve("x.safetensors")), drawn);
    try (NDManager manager = Torch.newManager();
        FileWeights pixels = FileWeights.openFile(LORAS.resolve("pixels.safetensors"), null)) {
      NDArray whole = picture(manager, drawn, model);
      NDArray ours = whole.get("..., ::{}, ::{}", drawn.stride(), drawn.stride());
      NDArray theirs = pixels.get(manager, name, pixels.shape(name));
      assertThat(Pixels.largestDifference(ours, theirs)).isLessThanOrEqualTo(1e-3);
    }
  }

  @Tag("complete")
  @Test
  void soItIsOfOtherNames() throws IOException {
    overASingleFileThePictureIsThatOfDiffusers("flux_kohya");
  }

  /** Of GGUF {@code TransformerFilesTest} is, and what is here with the profile complete. */
  static List<String> forms() {
    return CoveringArray.ALL ? List.of("gguf", "fp8", "fp16") : List.of("fp8", "fp16");
  }

  @ParameterizedTest
  @MethodSource("forms")
  void overFewBitsThePictureIsThatOfTheSameNumbersInFloat32(String form) throws IOException {
    Drawn drawn = drawn("flux_kohya");
    Path directory = drawn.call().directory();
    try (NDManager manager = Torch.newManager()) {
      String table = String.valueOf(directory.getFileName());
      OneFile flux = new OneFile(manager).add(directory.resolve("transformer"), table, "");
      Path few =
          switch (form) {
            case "gguf" -> GgufWriter.quantized(files.resolve("few.gguf"), "flux", flux.tensors());
            case "fp8" -> Fp8Writer.write(files.resolve("few.safetensors"), flux.tensors());
            default -> half(manager, flux.tensors());
          };
      NDArray expected =
          picture(manager, drawn, of(OneFile.beside(widened(manager, few), directory), drawn));
      ModelConfig model = of(OneFile.beside(few, directory), drawn);
      NDArray found = picture(manager, drawn, model);
      assertThat(Pixels.largestDifference(found, expected)).isZero();
      ModelConfig kept = model.toBuilder().keepWeightTypes(true).build();
      assertThat(Pixels.largestDifference(picture(manager, drawn, kept), expected)).isZero();
      NDArray exact = drawn.picture(manager, engine -> engine);
      assertThat(Pixels.psnr(found, exact)).isBetween(20.0, form.equals("fp16") ? 200.0 : 70.0);
    }
  }

  private Path half(NDManager manager, Map<String, NDArray> tensors) throws IOException {
    Map<String, NDArray> half = new LinkedHashMap<>();
    tensors.forEach((name, x) -> half.put(name, Torch.cast(manager, x, ElementType.FLOAT16)));
    Path file = files.resolve("few.safetensors");
    SafeTensorsWriter.write(file, half);
    return file;
  }

  /** The numbers of {@code few} in fp32, in a file beside it. */
  static Path widened(NDManager manager, Path few) throws IOException {
    Map<String, NDArray> all = new LinkedHashMap<>();
    try (FileWeights weights = FileWeights.openFile(few, ElementType.FLOAT32)) {
      for (String name : weights.names()) {
        all.put(name, weights.get(manager, name, weights.shape(name)));
      }
      Path file = few.resolveSibling("wide_" + few.getFileName() + ".safetensors");
      SafeTensorsWriter.write(file, all);
      return file;
    }
  }

  @Test
  void over8BitsThePictureIsAlmostThatOfFloat32() throws IOException {
    Drawn drawn = drawn("flux_kohya");
    ModelConfig quantized = drawn.model().toBuilder().quantize(ElementType.INT8).build();
    try (NDManager manager = Torch.newManager()) {
      nearer(manager, drawn, picture(manager, drawn, quantized));
    }
  }

  @ParameterizedTest
  @EnumSource(names = "BFLOAT16")
  void inHalfPrecisionThePictureIsThatOfRoundedSums(ElementType type) throws IOException {
    Drawn drawn = drawn("flux_kohya");
    ModelConfig plain = drawn.model().toBuilder().loras(List.of()).build();
    try (NDManager manager = Torch.newManager()) {
      NDArray found = half(manager, drawn, drawn.model(), type);
      NDArray without = half(manager, drawn, plain, type);
      NDArray exact = drawn.picture(manager, engine -> engine);
      NDArray exactWithout = picture(manager, drawn, plain);
      // the noise is drawn in the run's type, so only the changes are compared
      double change = Pixels.psnr(exact, exactWithout);
      assertThat(Pixels.psnr(found, without)).isBetween(change - 6, change + 6);
    }
  }

  private static NDArray half(NDManager manager, Drawn drawn, ModelConfig model, ElementType type) {
    NDArray picture =
        drawn.picture(
            manager, engine -> engine.toBuilder().model(model).runtime(r -> r.dtype(type)).build());
    return Torch.cast(manager, picture, ElementType.FLOAT32);
  }

  @Tag("complete")
  @Test
  void soItIsInTheOtherHalfPrecision() throws IOException {
    inHalfPrecisionThePictureIsThatOfRoundedSums(ElementType.FLOAT16);
  }

  /** {@code found} is much nearer to the picture with the LoRA than that is to the one without. */
  private static void nearer(NDManager manager, Drawn drawn, NDArray found) {
    NDArray exact = drawn.picture(manager, engine -> engine);
    ModelConfig plain = drawn.model().toBuilder().loras(List.of()).build();
    double change = Pixels.psnr(picture(manager, drawn, plain), exact);
    assertThat(Pixels.psnr(found, exact)).isGreaterThan(change + 8);
  }
}
