package io.xfuser.pipeline;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.parallel.Communicator;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Shared;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * The text tensors of one rank's pictures, by name. The first rank of each data-parallel group
 * encodes the prompts and broadcasts what comes out.
 */
final class PromptTensors {
  private PromptTensors() {}

  /** Encodes, or takes what was given; both prompts are in the result where guidance needs them. */
  static Map<String, NDArray> of(
      NDManager owner,
      RankPlan plan,
      Communicator replica,
      Supplier<Shared.Lease<TextEncoder>> encoder,
      GivenTensors given) {
    if (!given.text().isEmpty()) {
      Map<String, NDArray> mine = new HashMap<>();
      given
          .text()
          .forEach(
              (name, tensor) ->
                  mine.put(
                      name,
                      Torch.slice(owner, tensor, 0, plan.images().from(), plan.images().to())));
      return mine;
    }
    try (NDManager scope = owner.newSubManager()) {
      Map<String, NDArray> encoded = new TreeMap<>();
      if (replica.isFirst()) {
        try (Shared.Lease<TextEncoder> here = encoder.get()) {
          encoded.putAll(encode(scope, plan, here.get()));
        }
      }
      return broadcast(owner, replica, encoded);
    }
  }

  private static Map<String, NDArray> encode(NDManager owner, RankPlan plan, TextEncoder encoder) {
    GenerationRequest request = plan.request();
    return encoder.encode(
        owner,
        new TextRequest(
            request.prompts().positive(),
            request.guided() ? request.prompts().negative() : List.of(),
            request.input().numImagesPerPrompt(),
            plan.images(),
            request.text()));
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
