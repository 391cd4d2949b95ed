package io.xfuser.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.xfuser.config.EngineConfig;
import io.xfuser.pipeline.XDiTParallel;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.springframework.ai.image.ImageModel;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** What an application gets for what it has on its class path. */
class ConditionsTest {
  private static final Path MODEL =
      Path.of("../../xfuser-models/src/test/resources/fixtures/pixart_sigma_tiny");

  private final ApplicationContextRunner bare =
      new ApplicationContextRunner()
          .withConfiguration(
              AutoConfigurations.of(
                  XfuserAutoConfiguration.class,
                  XfuserHealthAutoConfiguration.class,
                  XfuserImageAutoConfiguration.class,
                  XfuserMetricsAutoConfiguration.class));
  private final ApplicationContextRunner runner =
      bare.withPropertyValues("xfuser.model=" + MODEL, "xfuser.load-at-start=false");

  @Test
  void withEverythingThereIsEverything() {
    runner.run(
        context ->
            assertThat(context)
                .hasSingleBean(XDiTParallel.class)
                .hasSingleBean(ImageModel.class)
                .hasSingleBean(HealthIndicator.class)
                .hasSingleBean(MeterBinder.class));
  }

  @Test
  void withoutAModelThereIsNothing() {
    bare.run(
        context ->
            assertThat(context)
                .hasNotFailed()
                .doesNotHaveBean(XDiTParallel.class)
                .doesNotHaveBean(ImageModel.class)
                .doesNotHaveBean(HealthIndicator.class)
                .doesNotHaveBean(MeterBinder.class));
  }

  @Test
  void withoutActuatorMicrometerAndSpringAiThePipelineIsThere() {
    runner
        .withClassLoader(
            new FilteredClassLoader(
                "org.springframework.ai", "org.springframework.boot.health", "io.micrometer"))
        .run(
            context -> {
              assertThat(context)
                  .hasNotFailed()
                  .hasSingleBean(XDiTParallel.class)
                  .hasSingleBean(Drawings.class)
                  .doesNotHaveBean("xfuserImageModel")
                  .doesNotHaveBean("xfuserHealthIndicator")
                  .doesNotHaveBean("xfuserMetrics");
            });
  }

  @Test
  void eachOfThemMayBeMissingAlone() {
    runner
        .withClassLoader(new FilteredClassLoader(ImageModel.class))
        .run(context -> assertThat(context).hasSingleBean(HealthIndicator.class));
    runner
        .withClassLoader(new FilteredClassLoader(AbstractHealthIndicator.class))
        .run(context -> assertThat(context).hasSingleBean(ImageModel.class));
    runner
        .withClassLoader(new FilteredClassLoader(MeterRegistry.class))
        .run(
            context ->
                assertThat(context)
                    .hasSingleBean(ImageModel.class)
                    .hasSingleBean(HealthIndicator.class));
  }

  @Test
  void whatIsSwitchedOffIsNotThere() {
    runner
        .withPropertyValues(
            "management.health.xfuser.enabled=false", "spring.ai.model.image=openai")
        .run(
            context ->
                assertThat(context)
                    .hasSingleBean(XDiTParallel.class)
                    .doesNotHaveBean(HealthIndicator.class)
                    .doesNotHaveBean(ImageModel.class));
  }

  @Test
  void anApplicationsOwnPipelineTakesThePlaceOfThis() {
    runner
        .withBean("mine", XDiTParallel.class, () -> XDiTParallel.inProcess(EngineConfig.of(MODEL)))
        .run(
            context -> {
              assertThat(context).hasNotFailed().hasSingleBean(XDiTParallel.class).hasBean("mine");
              assertThat(context.getBean(Drawings.class).isOpen()).isTrue();
            });
  }
}
