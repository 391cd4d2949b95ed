package io.xfuser.spring;

import io.xfuser.config.EngineConfig;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;
import org.springframework.context.annotation.Bean;

/** Actuator's health {@code xfuser}, where Actuator is: whether pictures can really be drawn. */
@AutoConfiguration(after = XfuserAutoConfiguration.class)
@ConditionalOnClass(AbstractHealthIndicator.class)
@ConditionalOnBean(Drawings.class)
public class XfuserHealthAutoConfiguration {
  /** The condition is of a class that is looked for only here, where Actuator is. */
  @Bean
  @ConditionalOnEnabledHealthIndicator("xfuser")
  @ConditionalOnMissingBean(name = "xfuserHealthIndicator")
  AbstractHealthIndicator xfuserHealthIndicator(
      Drawings drawings, EngineConfig engine, XfuserProperties properties) {
    return new AbstractHealthIndicator() {
      @Override
      protected void doHealthCheck(Health.Builder health) {
        health.up();
        if (!drawings.isOpen()) {
          health
              .down()
              .withDetail("reason", "the pipeline is closed, or one of its ranks was lost");
        }
        drawings
            .stalled(properties.stalledAfter())
            .ifPresent(
                last ->
                    health
                        .down()
                        .withDetail(
                            "reason",
                            "no progress for %s s, last: %s"
                                .formatted(properties.stalledAfter().toSeconds(), last)));
        health
            .withDetail("model", engine.model().title())
            .withDetail("ranks", engine.parallel().worldSize())
            .withDetail("waiting", drawings.waiting());
      }
    };
  }
}
