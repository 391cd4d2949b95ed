package io.xfuser.models.internal.vae;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeDecoder.DecodeOptions;
import io.xfuser.model.VaeEncoder;
import io.xfuser.models.contract.CoveringArray;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.BlockContext.LayerListener;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.LoadOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Autoencoders of videos decode and encode as diffusers' do. */
class VideoVaeTest {
  private static final List<String> REFERENCES =
      List.of("vae_video", "vae_cogvideox", "vae_hunyuanvideo15");

  /** With the profile {@code complete}: between others, or what another autoencoder shows. */
  private static final Set<String> MORE =
      Set.of(
          "cogvideox_two_frames",
          "cogvideox_four_frames",
          "cogvideox_within_a_tile",
          "cogvideox_float16",
          "nine_frames",
          "patched_one_frame",
          "patched_tiled_once",
          "patched_bfloat16");

  private final NDManager manager = Torch.newManager();

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @AfterEach
  void close() {
    manager.close();
  }

  static Stream<Object[]> decoded() {
    return REFERENCES.stream().flatMap(folder -> calls(folder, "decode"));
  }

  static Stream<Object[]> encoded() {
    return calls("vae_video", "encode");
  }

  private static Stream<Object[]> calls(String folder, String file) {
    Path path = VaeFixtures.directory("reference/" + folder + "/" + file + ".json");
    try {
      JsonNode list = new ObjectMapper().readTree(path.toFile());
      return StreamSupport.stream(list.spliterator(), false)
          .filter(entry -> CoveringArray.ALL || !MORE.contains(entry.path("name").asText()))
          .map(
              entry -> {
                String name = entry.path("name").asText();
                return new Object[] {folder + "/" + file + "/" + name, Call.of(entry)};
              });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("decoded")
  void pixelsAreThoseOfDiffusers(String name, Call call) {
    NDArray expected = reference(name + ".pixels");
    NDArray latents = reference(name + ".latents"); // (F, c, h, w)
    try (VaeDecoder decoder = decoder(call.vae, call.type)) {
      NDArray pixels = decoder.decode(manager, latents, call.options(latents));
      assertThat(ElementType.of(pixels)).isEqualTo(call.type);
      assertThat(pixels.getShape()).isEqualTo(expected.getShape());
      assertThat(VaeFixtures.relativeDifference(pixels, expected)).isLessThan(call.tolerance());
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("encoded")
  void whatIsEncodedIsThatOfDiffusers(String name, Call call) {
    NDArray expected = reference(name + ".encoded");
    NDArray pixels = gradients(call.shape);
    try (VaeEncoder encoder = encoder(call.vae, call.type)) {
      NDArray encoded =
          encoder.encode(manager, pixels, call.options(pixels), Strip.whole()).orElseThrow();
      assertThat(encoded.getShape()).isEqualTo(expected.getShape());
      assertThat(VaeFixtures.relativeDifference(encoded, expected)).isLessThan(call.tolerance());
    }
  }

  @Test
  void severalVideosAreDecodedOneByOne() {
    NDArray one = reference("vae_video/decode/five_frames.latents"); // (2, c, h, w)
    NDArray other = one.mul(-0.5f);
    try (VaeDecoder decoder = decoder("vae_wan", ElementType.FLOAT32)) {
      DecodeOptions options = new DecodeOptions(false, false, 2);
      NDArray both =
          decoder.decode(manager, Torch.concat(manager, List.of(one, other), 0), options);
      NDArray first = decoder.decode(manager, one, options); // (5, 3, H, W)
      NDArray second = decoder.decode(manager, other, options);
      NDArray expected = Torch.concat(manager, List.of(first, second), 0);
      assertThat(VaeFixtures.relativeDifference(both, expected)).isLessThan(1e-5);
    }
  }

  @Test
  void framesAreHandedOverAsTheyCome() {
    NDArray latents = reference("vae_video/decode/nine_frames.latents");
    List<Shape> parts = new ArrayList<>();
    List<String> told = new ArrayList<>();
    LayerListener listener = (done, total) -> told.add(done + " of " + total);
    try (VaeDecoder decoder = decoder("vae_wan", ElementType.FLOAT32)) {
      DecodeOptions options = new DecodeOptions(false, false, 3, false, listener);
      decoder.decode(manager, latents, options, Strip.whole(), part -> parts.add(part.getShape()));
    }
    assertThat(parts)
        .containsExactly(new Shape(1, 3, 40, 16), new Shape(4, 3, 40, 16), new Shape(4, 3, 40, 16));
    int total = told.size() - 1;
    assertThat(told).startsWith("0 of " + total, "1 of " + total).endsWith(total + " of " + total);
    assertThat(manager.getManagedArrays()).hasSize(1);
  }

  static VaeDecoder decoder(String vae, ElementType type) {
    Path directory = VaeFixtures.directory(vae);
    Vae read = Vaes.read(ComponentConfig.read(directory.resolve("config.json")));
    try (ComponentWeights source = weights(directory, type)) {
      return read.framesDecoder(source);
    }
  }

  static VaeEncoder encoder(String vae, ElementType type) {
    Path directory = VaeFixtures.directory(vae);
    ComponentConfig config = ComponentConfig.read(directory.resolve("config.json"));
    try (ComponentWeights source = weights(directory, type)) {
      return Vaes.read(config).framesEncoder(config, source);
    }
  }

  private static ComponentWeights weights(Path directory, ElementType type) {
    return ComponentWeights.open(directory, "diffusion_pytorch_model", LoadOptions.of(type));
  }

  /** Pixels (F, 3, H, W) that grow along all axes, of a shape (3, F, H, W). */
  private NDArray gradients(List<Integer> shape) {
    int frames = shape.get(1);
    int rows = shape.get(2);
    int columns = shape.get(3);
    float[] values = new float[frames * 3 * rows * columns];
    for (int i = 0; i < values.length; i++) {
      int colour = i / columns / rows % 3;
      int frame = i / columns / rows / 3;
      int value = 90 * colour + 11 * frame + 7 * (i / columns % rows) + 5 * (i % columns);
      values[i] = 2.0f * (value % 256 / 255.0f) - 1.0f;
    }
    return manager.create(values, new Shape(frames, 3, rows, columns));
  }

  /** The tensor {@code folder/file/name}. */
  private NDArray reference(String place) {
    int end = place.lastIndexOf('/');
    String name = place.substring(end + 1);
    Path path = VaeFixtures.directory("reference/" + place.substring(0, end) + ".safetensors");
    try (FileWeights tensors = FileWeights.openFile(path, null)) {
      return tensors.get(manager, name, tensors.shape(name));
    }
  }

  /** How a reference was made, of what (c, F, h, w). */
  record Call(String vae, List<Integer> shape, ElementType type, boolean tiling) {
    static Call of(JsonNode entry) {
      return new Call(
          entry.path("vae").asText(),
          StreamSupport.stream(entry.path("shape").spliterator(), false)
              .map(JsonNode::asInt)
              .toList(),
          ElementType.valueOf(entry.path("dtype").asText().toUpperCase(Locale.ROOT)),
          entry.path("tiling").asBoolean());
    }

    DecodeOptions options(NDArray frames) {
      return new DecodeOptions(false, tiling, Math.toIntExact(frames.getShape().get(0)));
    }

    /**
     * Of the largest value. diffusers' own pixels are 3.1e-2 (bf16) and 5.1e-3 (fp16) from its fp32
     * ones; ours and its are two roundings apart.
     */
    double tolerance() {
      return switch (type) {
        case BFLOAT16 -> 4.4e-2;
        case FLOAT16 -> 7.2e-3;
        default -> 1e-5;
      };
    }
  }
}
