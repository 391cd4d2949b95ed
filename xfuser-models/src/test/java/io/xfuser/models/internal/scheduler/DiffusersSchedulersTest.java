package io.xfuser.models.internal.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every recorded run of diffusers' schedulers, made by scripts/fixtures/scheduler_reference.py. */
class DiffusersSchedulersTest {
  private static final Path FIXTURES = resource("/fixtures/schedulers");
  private static final long[] SHAPE = {2, 6, 4};

  /**
   * Relative to the largest value that the step adds up, the sample before and after it or what the
   * solver remembers: 32 roundings of float32. A step adds up to four products of values with
   * coefficients, which are quotients and differences of tables whose entries (roots, logarithms,
   * exponentials) the processor that made the references rounded to one neighbour or the other.
   * Half precision does not see that and must agree bit by bit.
   */
  private static final double TOLERANCE = 32 * 0x1p-24;

  /**
   * Of timesteps that are looked up by the logarithm of a sigma: a unit in the last place of that
   * (below 8, so 2^-21) over the distance of two entries of the table, which is more than 1/400.
   */
  private static final double INTERPOLATION = 400 * 0x1p-21;

  record Case(String name, JsonNode json) {
    @Override
    public String toString() {
      return name;
    }

    ElementType type() {
      return ElementType.valueOf(json.path("dtype").asText().toUpperCase(Locale.ROOT));
    }

    boolean thresholding() {
      return json.path("config").path("thresholding").asBoolean();
    }

    /** Timesteps looked up by numpy's float32 logarithm, whose last bit the processor chooses. */
    boolean interpolated() {
      JsonNode config = json.path("config");
      String name = config.path("_class_name").asText();
      return (name.startsWith("Euler") || name.startsWith("Heun"))
          && (config.has("use_karras_sigmas")
              || config.has("use_exponential_sigmas")
              || config.has("use_beta_sigmas"));
    }

    ComponentConfig config() {
      return ComponentConfig.parse(name, json.path("config").toString());
    }

    List<Double> sigmas() {
      List<Double> sigmas = new ArrayList<>();
      json.path("call").path("sigmas").forEach(sigma -> sigmas.add(sigma.doubleValue()));
      return sigmas;
    }

    Scheduler scheduler() {
      JsonNode call = json.path("call");
      SchedulerRequest request =
          new SchedulerRequest(
              json.path("steps").intValue(),
              json.path("eta").doubleValue(),
              call.has("mu") ? (Double) call.get("mu").doubleValue() : null,
              sigmas().isEmpty() ? null : sigmas());
      return Schedulers.fromConfig(config(), request);
    }
  }

  static Stream<Case> cases() throws IOException {
    JsonNode all = new ObjectMapper().readTree(FIXTURES.resolve("schedulers.json").toFile());
    return StreamSupport.stream(all.spliterator(), false)
        .map(json -> new Case(json.path("name").asText(), json))
        .filter(run -> !run.thresholding()); // refused, see SchedulersTest
  }

  private static @Nullable FileWeights file;

  @BeforeAll
  static void open() {
    file = FileWeights.openFile(FIXTURES.resolve("schedulers.safetensors"), null);
  }

  @AfterAll
  static void close() {
    tensors().close();
  }

  private static FileWeights tensors() {
    return Objects.requireNonNull(file);
  }

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  static Stream<Case> fluxCases() throws IOException {
    return cases().filter(run -> run.json().has("image_tokens"));
  }

  @ParameterizedTest
  @MethodSource("fluxCases")
  void fluxAsksForDiffusersShiftAndSigmas(Case run) {
    JsonNode json = run.json();
    assertThat(DynamicShift.from(run.config()).mu(json.path("image_tokens").intValue()))
        .isEqualTo(json.path("call").path("mu").doubleValue(), within(1e-15));
    assertThat(FlowSigmas.even(json.path("steps").intValue())).isEqualTo(run.sigmas());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void timestepsEqualDiffusers(Case run) {
    Scheduler scheduler = run.scheduler();
    double[] expected =
        StreamSupport.stream(run.json().path("timesteps").spliterator(), false)
            .mapToDouble(JsonNode::doubleValue)
            .toArray();
    double[] found = scheduler.timesteps();
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      double allowed = run.interpolated() ? INTERPOLATION : 0;
      assertThat(found[i]).isEqualTo(expected[i], within(allowed));
    }
    float initial = (float) run.json().path("init_noise_sigma").doubleValue();
    assertThat(scheduler.initialNoiseSigma())
        .isEqualTo(initial, within((double) Math.ulp(initial))); // a square root, see Float32
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyStepEqualsDiffusers(Case run) {
    Scheduler scheduler = run.scheduler();
    try (NDManager manager = Torch.newManager()) {
      Reference reference = new Reference(run, manager);
      Sample sample = Sample.of(reference.first(scheduler.initialNoiseSigma()));
      for (int step = 0; step < scheduler.timesteps().length; step++) {
        NDManager owner = manager.newSubManager();
        NDArray input = scheduler.scaleInput(owner, sample.tokens(), step);
        reference.assertInput(input, List.of(sample.tokens()), step);
        Sample next =
            scheduler.step(
                owner,
                sample,
                reference.at("predictions", step),
                scheduler.stochastic() ? reference.noise(scheduler, step) : null);
        List<NDArray> added = new ArrayList<>(sample.history());
        added.addAll(next.history());
        added.add(sample.tokens());
        reference.assertSample(next.tokens(), added, step);
        sample.tokens().getManager().close(); // nothing of the last step is needed any more
        NDArray tokens = Torch.cast(owner, reference.sample(step), run.type());
        sample = new Sample(tokens, next.history(), next.step()); // each step's own error alone
      }
      Sample last = sample;
      assertThatThrownBy(() -> scheduler.step(manager, last, last.tokens(), null))
          .hasMessageContaining("steps were taken already");
    }
  }

  private record Reference(Case run, NDManager manager) {

    NDArray first(double sigma) {
      NDManager owner = manager.newSubManager();
      NDArray noise = tensors().get(manager, "sample", SHAPE);
      return Torch.cast(owner, noise.mul((float) sigma), run.type());
    }

    NDArray at(String name, int step) {
      return Torch.cast(manager, select(name, step), run.type());
    }

    /** The run's own draws, where the solver drew them itself. */
    NDArray noise(Scheduler scheduler, int step) {
      String own = run.name() + ".noise";
      NDArray drawn = select(tensors().has(own) ? own : "noise", step);
      return Torch.cast(manager, drawn, scheduler.noiseType(run.type()));
    }

    /** After step {@code step}. */
    NDArray sample(int step) {
      return select(run.name() + ".samples", step);
    }

    void assertInput(NDArray input, List<NDArray> added, int step) {
      String name = run.name() + ".inputs";
      if (tensors().has(name)) {
        assertClose(input, select(name, step), added);
      }
    }

    void assertSample(NDArray found, List<NDArray> added, int step) {
      assertThat(ElementType.of(found)).isEqualTo(run.type());
      assertClose(found, sample(step), added);
    }

    private NDArray select(String name, int step) {
      return tensors().get(manager, name, tensors().shape(name)).get(step);
    }

    private void assertClose(NDArray found, NDArray expected, List<NDArray> added) {
      float[] values = floats(found);
      float[] wanted = expected.toFloatArray();
      double scale = largest(wanted);
      for (NDArray one : added) {
        scale = Math.max(scale, largest(floats(one)));
      }
      double allowed = run.type() == ElementType.FLOAT32 ? TOLERANCE * scale : 0;
      for (int i = 0; i < wanted.length; i++) {
        assertThat((double) values[i]).isEqualTo(wanted[i], within(allowed));
      }
    }

    private float[] floats(NDArray x) {
      return Torch.cast(manager, x, ElementType.FLOAT32).toFloatArray();
    }

    private static double largest(float[] values) {
      double largest = 0;
      for (float value : values) {
        largest = Math.max(largest, Math.abs(value));
      }
      return largest;
    }
  }

  private static Path resource(String name) {
    @Nullable URL url = DiffusersSchedulersTest.class.getResource(name);
    try {
      return Path.of(Objects.requireNonNull(url, name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
