package io.xfuser.internal.runtime;

import io.xfuser.internal.weights.Lora;
import io.xfuser.model.PipelineModel;
import io.xfuser.progress.Progress.Component;
import io.xfuser.weights.Placement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A pipeline's components in one place with several choices of LoRAs, of which none is one. Each
 * has a first transformer of its own, a second one and text encoders where its LoRAs change them;
 * the other transformers, the decoder and what is not changed are there once. Weights are never
 * changed where they are: a choice that is taken again is read again, or still there.
 *
 * @param <C> the model's conditioning
 */
public final class PlacedChoices<C> implements AutoCloseable {
  private final PipelineModel<C> model;
  private final int most;
  private final PlacedPipeline<C> plain;
  private final Map<List<Lora>, Choice> choices = new LinkedHashMap<>(); // the last used is last

  /**
   * Nothing chosen yet.
   *
   * @param place without LoRAs
   * @param most choices that are kept; more only while they are in use
   * @param texts what is kept of encoded prompts, with whatever LoRAs
   */
  public PlacedChoices(PipelineModel<C> model, Placement place, int most, KeptTexts texts) {
    this.model = model;
    this.most = most;
    this.plain = PlacedPipeline.of(model, place, texts);
  }

  private final class Choice {
    private final PlacedPipeline<C> pipeline;
    private final List<LoadedTransformer<C>> own; // the first ones, which LoRAs change
    private final boolean ownText;
    private int leases;

    Choice(List<Lora> loras, Set<Component> changed) {
      Placement placement = plain.placement().with(loras);
      ownText = changed.contains(Component.TEXT_ENCODER);
      own =
          loras.stream().anyMatch(Lora::second)
              ? LoadedTransformer.of(model, placement)
              : List.of(new LoadedTransformer<>(model.transformer(placement)));
      List<LoadedTransformer<C>> transformers = new ArrayList<>(own);
      transformers.addAll(plain.transformers().subList(own.size(), plain.transformers().size()));
      pipeline =
          new PlacedPipeline<>(
              model,
              ownText ? placement : plain.placement(),
              transformers,
              ownText ? new ConcurrentHashMap<>() : plain.textEncoders(),
              plain.vaeDecoder(),
              plain.vaeEncoder(),
              plain.pictureEncoder(),
              plain.texts());
    }

    long bytes() {
      return own.stream().mapToLong(LoadedTransformer::parameterBytes).sum();
    }

    void close() {
      own.forEach(LoadedTransformer::close);
      if (ownText) {
        pipeline.closeText();
      }
    }
  }

  /**
   * The components with {@code loras}, kept as long as what is returned is open, and after that as
   * long as there is room.
   *
   * @param changed the components that the LoRAs change
   */
  public synchronized Shared.Lease<PlacedPipeline<C>> lease(
      List<Lora> loras, Set<Component> changed) {
    Choice choice = choices.remove(loras);
    if (choice == null) {
      makeRoom();
      choice = new Choice(loras, changed);
    }
    choices.put(loras, choice);
    choice.leases++;
    return leased(choice);
  }

  private Shared.Lease<PlacedPipeline<C>> leased(Choice choice) {
    return new Shared.Lease<>() {
      @Override
      public PlacedPipeline<C> get() {
        return choice.pipeline;
      }

      @Override
      public void close() {
        synchronized (PlacedChoices.this) {
          choice.leases--;
        }
      }
    };
  }

  private void makeRoom() {
    Iterator<Choice> oldest = choices.values().iterator();
    while (choices.size() >= most && oldest.hasNext()) {
      Choice choice = oldest.next();
      if (choice.leases == 0) {
        oldest.remove();
        choice.close();
      }
    }
  }

  /** The choices whose weights are kept, the one that was used last at the end. */
  public synchronized List<List<Lora>> kept() {
    return new ArrayList<>(choices.keySet());
  }

  /** Bytes of all weights of transformers that are here. */
  public synchronized long transformerBytes() {
    return plain.transformerBytes() // the other transformers
        + choices.values().stream().mapToLong(Choice::bytes).sum();
  }

  /** Bytes of all weights of text encoders that are here, and of what sees pictures. */
  public synchronized long textEncoderBytes() {
    return plain.pictureEncoderBytes()
        + plain.textEncoderBytes()
        + choices.values().stream()
            .filter(choice -> choice.ownText)
            .mapToLong(choice -> choice.pipeline.textEncoderBytes())
            .sum();
  }

  @Override
  public synchronized void close() {
    new HashMap<>(choices).values().forEach(Choice::close);
    choices.clear();
    plain.close();
  }
}
