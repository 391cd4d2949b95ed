package io.xfuser.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.MeterRegistry;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.ClosedException;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.GenerationTask;
import io.xfuser.pipeline.XDiTParallel;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.springframework.ai.content.Media;
import org.springframework.ai.image.ImageMessage;
import org.springframework.ai.image.ImageModel;
import org.springframework.ai.image.ImageOptionsBuilder;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.ai.image.ImageResponse;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.health.actuate.endpoint.HealthEndpoint;
import org.springframework.boot.health.contributor.Status;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.util.MimeTypeUtils;

/** A real application, as a user of the starter writes it. */
class ApplicationTest {
  private static final String FIXTURES = "../../xfuser-models/src/test/resources/fixtures/";

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {}

  private static ConfigurableApplicationContext start(String model, String... properties) {
    List<String> all = new ArrayList<>();
    all.add("--xfuser.model=" + Path.of(FIXTURES + model));
    all.add("--xfuser.defaults.height=32");
    all.add("--xfuser.defaults.width=32");
    all.add("--xfuser.defaults.num-inference-steps=2");
    Stream.of(properties).map(property -> "--" + property).forEach(all::add);
    return new SpringApplicationBuilder(Application.class)
        .web(WebApplicationType.NONE)
        .run(all.toArray(String[]::new));
  }

  private static byte[] file(ImageResponse response, int picture) {
    return Base64.getDecoder().decode(response.getResults().get(picture).getOutput().getB64Json());
  }

  private static Status status(HealthEndpoint health) {
    return Objects.requireNonNull(health.healthForPath("xfuser")).getStatus();
  }

  @Test
  void anApplicationDrawsAndTellsOfIt() {
    try (var application = start("pixart_sigma_tiny", "xfuser.parallel.ulysses-degree=2")) {
      ImageModel model = application.getBean(ImageModel.class);
      ImageResponse two =
          model.call(new ImagePrompt("a fox", ImageOptionsBuilder.builder().n(2).build()));
      assertThat(file(two, 0)).isNotEqualTo(file(two, 1));
      assertThat(two.getMetadata().getCreated()).isGreaterThan(1_700_000_000L);
      assertThat(two.getResults().get(0).getMetadata()).asString().contains("Steps: 2");

      ImageResponse seeded =
          model.call(new ImagePrompt("a fox", XfuserImageOptions.of(r -> r.seed(7))));
      XDiTParallel ranks = application.getBean(XDiTParallel.class);
      InputConfig same =
          InputConfig.builder("a fox").size(32, 32).numInferenceSteps(2).seed(7).build();
      assertThat(file(seeded, 0)).isEqualTo(ranks.generate(same).pngs().get(0));
      assertThat(ranks.generate(same).report().worldSize()).isEqualTo(2);

      HealthEndpoint health = application.getBean(HealthEndpoint.class);
      assertThat(status(health)).isEqualTo(Status.UP);
      MeterRegistry meters = application.getBean(MeterRegistry.class);
      assertThat(meters.get("xfuser.requests").tag("outcome", "done").timer().count()).isEqualTo(2);
      assertThat(meters.get("xfuser.pictures").counter().count()).isEqualTo(3);
      assertThat(meters.get("xfuser.steps").counter().count()).isEqualTo(4);
      assertThat(meters.get("xfuser.waiting").gauge().value()).isZero();
      assertThat(meters.get("xfuser.phase").tag("phase", "denoise").timer().count()).isEqualTo(2);

      XfuserImageOptions wrong = XfuserImageOptions.of(r -> r.seeds(List.of(1L, 2L)));
      assertThatThrownBy(() -> model.call(new ImagePrompt("a fox", wrong)))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(meters.get("xfuser.requests").tag("outcome", "refused").timer().count()).isOne();
      ranks.close();
      assertThat(status(health)).isEqualTo(Status.DOWN);
    }
  }

  @Test
  void picturesAndWeightsOfAPromptAreUsed() throws IOException {
    try (var application = start("flux_dev_tiny", "xfuser.defaults.seed=1")) {
      ImageModel model = application.getBean(ImageModel.class);
      byte[] plain = file(model.call(new ImagePrompt("a fox")), 0);
      assertThat(file(model.call(new ImagePrompt("a fox")), 0)).isEqualTo(plain);
      Media media = new Media(MimeTypeUtils.IMAGE_PNG, new ByteArrayResource(plain));
      ImageMessage edit = new ImageMessage("a fox", null, List.of(media), Map.of());
      byte[] edited = file(model.call(new ImagePrompt(List.of(edit))), 0);
      assertThat(pixels(edited)).hasSize(32 * 32).isNotEqualTo(pixels(plain));
      ImageResponse avoided =
          model.call(
              new ImagePrompt(
                  List.of(new ImageMessage("a fox"), new ImageMessage("snow", -1f)),
                  XfuserImageOptions.of(r -> r.trueCfgScale(2))));
      assertThat(avoided.getResults().get(0).getMetadata())
          .asString()
          .contains("Negative prompt: snow");
    }
  }

  private static int[] pixels(byte[] file) throws IOException {
    BufferedImage picture = ImageIO.read(new ByteArrayInputStream(file));
    return picture.getRGB(0, 0, picture.getWidth(), picture.getHeight(), null, 0, 32);
  }

  @Test
  void closingWaitsForWhatRuns() throws InterruptedException {
    var patient = start("pixart_sigma_tiny");
    XDiTParallel ranks = patient.getBean(XDiTParallel.class);
    GenerationTask drawn = begun(ranks, 30);
    assertThat(drawn.state()).isEqualTo(GenerationTask.State.RUNNING);
    patient.close();
    assertThat(drawn.state()).isEqualTo(GenerationTask.State.DONE);
    assertThatThrownBy(() -> ranks.generate(InputConfig.builder("a fox").build()))
        .isInstanceOf(ClosedException.class);
  }

  private static GenerationTask begun(XDiTParallel ranks, int steps) throws InterruptedException {
    CountDownLatch begun = new CountDownLatch(1);
    InputConfig input = InputConfig.builder("a fox").size(32, 32).numInferenceSteps(steps).build();
    GenerationTask task =
        ranks.submit(
            input,
            progress -> {
              begun.countDown();
              return true;
            });
    begun.await();
    return task;
  }

  @Test
  void aRequestThatStandsStillMakesTheApplicationUnhealthyAndClosingWaitsNoLongerThanItMay()
      throws InterruptedException {
    var hasty =
        start("pixart_sigma_tiny", "xfuser.stalled-after=1ms", "xfuser.shutdown-timeout=10ms");
    XDiTParallel ranks = hasty.getBean(XDiTParallel.class);
    GenerationTask last;
    try (hasty) {
      Drawings drawings = hasty.getBean(Drawings.class);
      HealthEndpoint health = hasty.getBean(HealthEndpoint.class);
      assertThat(status(health)).isEqualTo(Status.UP);
      GenerationTask before = begun(ranks, 1000);
      Thread stuck = new Thread(() -> draw(drawings)); // waits for the one before
      stuck.start();
      while (status(health).equals(Status.UP)) {
        Thread.sleep(1);
      }
      before.cancel();
      stuck.join();
      assertThat(status(health)).isEqualTo(Status.UP);
      last = begun(ranks, 1000);
    }
    assertThatThrownBy(last::await).isInstanceOf(CancelledException.class);
  }

  private static void draw(Drawings drawings) {
    try (Generation drawn =
        drawings.draw(InputConfig.builder("a fox").size(32, 32).numInferenceSteps(1).build())) {
      assertThat(drawn.images()).hasSize(1);
    }
  }

  @Test
  void wrongPropertiesStopTheStartInASentence() {
    assertThatThrownBy(() -> start("pixart_sigma_tiny", "xfuser.parallel.ulyses_degree=2"))
        .rootCause()
        .isInstanceOf(ArgumentException.class)
        .hasMessageStartingWith("xfuser.parallel.ulyses")
        .hasMessageContaining("ulysses_degree");
    assertThatThrownBy(() -> start("pixart_sigma_tiny", "xfuser.defaults.guidance_scale=much"))
        .rootCause()
        .hasMessageContaining("guidance_scale");
    assertThatThrownBy(() -> start("no_such_model")).rootCause().hasMessageContaining("no_such");
  }

  @Test
  void everySpellingOfASettingAndListsAreRead() {
    var spelled =
        start(
            "pixart_sigma_tiny",
            "xfuser.load-at-start=false",
            "xfuser.max-waiting=0",
            "xfuser.parallel.pipefusionParallelDegree=2",
            "xfuser.parallel.num_pipeline_patch=4",
            "xfuser.parallel.attn-layer-num-for-pp[0]=1",
            "xfuser.parallel.attn-layer-num-for-pp[1]=1",
            "xfuser.runtime.WARMUP_STEPS=2");
    try (spelled) {
      EngineConfig engine = spelled.getBean(EngineConfig.class);
      assertThat(engine.parallel().label()).endsWith("pp2_patch4");
      assertThat(engine.parallel().attnLayerNumForPp()).containsExactly(1, 1);
      assertThat(engine.runtime().warmupSteps()).isEqualTo(2);
    }
  }
}
