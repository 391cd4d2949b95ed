package io.xfuser.spring;

import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.Setting;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.image.ImageOptions;

/**
 * Everything that a request can ask for: {@code XfuserImageOptions.of(r -> r.size(512,
 * 512).numInferenceSteps(20).seed(7))}. What is not given is the application's default.
 */
public final class XfuserImageOptions implements ImageOptions {
  private final InputConfig request;

  private XfuserImageOptions(InputConfig request) {
    this.request = request;
  }

  /** What {@code change} gives. */
  public static XfuserImageOptions of(UnaryOperator<InputConfigBuilder> change) {
    return new XfuserImageOptions(change.apply(InputConfig.builder()).build());
  }

  InputConfig request() {
    return request;
  }

  @Override
  public @Nullable Integer getN() {
    return given(InputConfig.NUM_IMAGES_PER_PROMPT);
  }

  @Override
  public @Nullable Integer getWidth() {
    return given(InputConfig.WIDTH);
  }

  @Override
  public @Nullable Integer getHeight() {
    return given(InputConfig.HEIGHT);
  }

  /** The application has one model. */
  @Override
  public @Nullable String getModel() {
    return null;
  }

  /** Pictures come in base 64. */
  @Override
  public String getResponseFormat() {
    return "b64_json";
  }

  /** The prompt says it. */
  @Override
  public @Nullable String getStyle() {
    return null;
  }

  private <T> @Nullable T given(Setting<T> setting) {
    return request.has(setting) ? request.get(setting) : null;
  }
}
