package io.xfuser.pipeline;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.InputConfig;
import io.xfuser.nn.TokenRange;
import io.xfuser.parallel.Communicator;
import io.xfuser.pipeline.Guidance.Arithmetic;
import io.xfuser.transformer.Shared;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * The text tensors of one rank's pictures, by name. The first rank of each data-parallel group
 * encodes the prompts and broadcasts what comes out.
 */
final class PromptTensors {
  /** The prefix of the names of negative prompts' tensors. */
  static final String NEGATIVE = "negative_";

  private PromptTensors() {}

  /** Encodes, or takes what was given; both prompts are in the result where guidance needs them. */
  static Map<String, NDArray> of(
      NDManager owner,
      RankPlan plan,
      Communicator replica,
      Shared<TextEncoder> encoder,
      GivenTensors given) {
    if (!given.text().isEmpty()) {
      return rows(owner, given.text(), IntStream.range(plan.images().from(), plan.images().to()));
    }
    try (NDManager scope = owner.newSubManager()) {
      Map<String, NDArray> encoded = new TreeMap<>();
      if (replica.isFirst()) {
        encoded.putAll(encode(scope, plan, encoder.get()));
      }
      return broadcast(owner, replica, encoded);
    }
  }

  private static Map<String, NDArray> encode(NDManager owner, RankPlan plan, TextEncoder encoder) {
    GenerationRequest request = plan.request();
    InputConfig input = request.input();
    TokenRange images = plan.images();
    int perPrompt = input.numImagesPerPrompt();
    int first = images.from() / perPrompt;
    int last = (images.to() - 1) / perPrompt;
    List<String> prompts = input.prompts().subList(first, last + 1);
    int[] row =
        IntStream.range(images.from(), images.to())
            .map(image -> image / perPrompt - first)
            .toArray();
    Map<String, NDArray> all =
        new HashMap<>(
            rows(owner, encoder.encode(owner, prompts, request.text()), IntStream.of(row)));
    if (request.guided()) {
      List<String> negatives = negatives(input).subList(first, last + 1);
      rows(owner, encoder.encode(owner, negatives, request.text()), IntStream.of(row))
          .forEach((name, tensor) -> all.put(NEGATIVE + name, tensor));
    }
    return all;
  }

  /** One negative prompt per prompt; the empty one where none is given. */
  private static List<String> negatives(InputConfig input) {
    List<String> given = input.negativePrompts();
    return given.size() == input.prompts().size()
        ? given
        : Collections.nCopies(input.prompts().size(), given.isEmpty() ? "" : given.get(0));
  }

  private static Map<String, NDArray> rows(
      NDManager owner, Map<String, NDArray> tensors, IntStream rows) {
    long[] indices = rows.asLongStream().toArray();
    Map<String, NDArray> selected = new HashMap<>();
    tensors.forEach(
        (name, tensor) ->
            selected.put(name, Arithmetic.PROGRAM.call(owner, "repeat_rows", tensor, indices)));
    return selected;
  }

  private static Map<String, NDArray> broadcast(
      NDManager owner, Communicator replica, Map<String, NDArray> encoded) {
    List<String> names = Texts.broadcast(owner, replica, List.copyOf(encoded.keySet()));
    List<NDArray> tensors =
        replica.broadcast(
            owner,
            encoded.keySet().stream()
                .map(name -> Objects.requireNonNull(encoded.get(name)))
                .toList(),
            0);
    Map<String, NDArray> all = new HashMap<>();
    for (int i = 0; i < tensors.size(); i++) {
      all.put(names.get(i), tensors.get(i));
    }
    return all;
  }
}
