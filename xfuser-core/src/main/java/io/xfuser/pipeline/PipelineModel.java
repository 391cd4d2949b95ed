package io.xfuser.pipeline;

import io.xfuser.config.InputConfig;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;

/**
 * The components of one diffusers directory. Nothing is loaded before it is asked for; what is
 * returned is closed by whoever asked.
 *
 * @param <C> the transformer's conditioning
 */
public interface PipelineModel<C> extends AutoCloseable {
  /** The model's short name, {@code pixart_sigma} for example; names output files. */
  String name();

  /**
   * Fills in the pipeline's defaults.
   *
   * @throws IllegalArgumentException if the model cannot do what is asked, with the numbers
   */
  GenerationRequest resolve(InputConfig input);

  /** The transformer, whose parts are loaded to the device of {@code placement}. */
  TransformerSpec<C> transformer(Placement placement);

  /** Loads tokenizer and text encoder, which computes on the device of {@code placement}. */
  TextEncoder textEncoder(Placement placement);

  /** Loads the autoencoder's decoder, which computes on the device of {@code placement}. */
  VaeDecoder vaeDecoder(Placement placement);

  /** The scheduler for one generation. */
  Scheduler scheduler(SchedulerRequest request);

  @Override
  void close();
}
