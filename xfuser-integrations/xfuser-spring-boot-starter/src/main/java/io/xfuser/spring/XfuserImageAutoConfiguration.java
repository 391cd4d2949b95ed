package io.xfuser.spring;

import org.springframework.ai.image.ImageModel;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;

/** Spring AI's image model, where Spring AI is, unless {@code spring.ai.model.image} is another. */
@AutoConfiguration(after = XfuserAutoConfiguration.class)
@ConditionalOnClass(ImageModel.class)
@ConditionalOnBean(Drawings.class)
@ConditionalOnProperty(
    name = "spring.ai.model.image",
    havingValue = "xfuser",
    matchIfMissing = true)
public class XfuserImageAutoConfiguration {
  @Bean
  @ConditionalOnMissingBean
  XfuserImageModel xfuserImageModel(Drawings drawings, XfuserProperties properties) {
    return new XfuserImageModel(drawings, properties.request());
  }
}
