package io.xfuser.spring;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.xfuser.config.EngineConfig;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.context.annotation.Bean;

/** Meters, where Micrometer is; Actuator binds them to its registries. */
@AutoConfiguration(after = XfuserAutoConfiguration.class)
@ConditionalOnClass(MeterRegistry.class)
@ConditionalOnBean(Drawings.class)
public class XfuserMetricsAutoConfiguration {
  @Bean
  MeterBinder xfuserMetrics(Drawings drawings, EngineConfig engine) {
    return new DrawingMetrics(drawings, engine.model().title());
  }
}
