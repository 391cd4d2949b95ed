package io.xfuser.spring;

import io.xfuser.config.EngineConfig;
import io.xfuser.pipeline.XDiTParallel;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/**
 * The pipeline that {@code xfuser.model} names, whose ranks are threads of this JVM, until the
 * application ends. A bean of the application's own takes the place of any of these.
 */
@AutoConfiguration
@ConditionalOnProperty("xfuser.model")
@EnableConfigurationProperties(XfuserProperties.class)
public class XfuserAutoConfiguration {
  @Bean
  @ConditionalOnMissingBean
  EngineConfig xfuserEngine(XfuserProperties properties) {
    return properties.engine();
  }

  /** Closed by {@link RanksLifecycle}; here only if the application never started. */
  @Bean(destroyMethod = "close")
  @ConditionalOnMissingBean
  XDiTParallel xfuserRanks(EngineConfig engine, XfuserProperties properties) {
    properties.request(); // a wrong default is told when the application starts
    XDiTParallel ranks = XDiTParallel.inProcess(engine);
    if (properties.maxWaiting() != null) {
      ranks.limitWaiting(properties.maxWaiting());
    }
    return ranks;
  }

  @Bean
  RanksLifecycle xfuserLifecycle(XDiTParallel ranks, XfuserProperties properties) {
    return new RanksLifecycle(ranks, properties);
  }

  @Bean
  @ConditionalOnMissingBean
  Drawings xfuserDrawings(XDiTParallel ranks) {
    return new Drawings(ranks);
  }
}
