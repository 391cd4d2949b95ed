package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.internal.report.Texts;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GivenTensors;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.TextRequest;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.BlockContext.LayerListener;
import io.xfuser.weights.Share;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The text tensors of one rank's pictures, by name. The first rank of each data-parallel group
 * encodes the prompts, alone or with a share of the encoder on every rank of the group, and
 * broadcasts what comes out.
 *
 * @param plan this rank's
 * @param replica all ranks of these pictures
 * @param shared whether all of them have a share of the encoder
 * @param listener is told of each layer
 */
record PromptTensors(RankPlan plan, Communicator replica, boolean shared, LayerListener listener) {
  /**
   * Encodes, or takes what was given; both prompts are in the result where guidance needs them.
   *
   * @param encoder loads a share of the encoder; asked on the ranks that encode
   */
  Map<String, NDArray> of(
      NDManager owner, Function<Share, Shared.Lease<TextEncoder>> encoder, GivenTensors given) {
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
      if (encodes()) {
        try (Shared.Lease<TextEncoder> here = encoder.apply(share())) {
          encoded.putAll(here.get().encode(scope, request()));
        }
      }
      return broadcast(owner, replica.isFirst() ? encoded : Map.of());
    }
  }

  /** Whether this rank has a part in encoding. */
  boolean encodes() {
    return shared || replica.isFirst();
  }

  /** What it has of the encoder. */
  private Share share() {
    return shared ? new Share(replica.rank(), replica.size()) : Share.WHOLE;
  }

  private TextRequest request() {
    GenerationRequest request = plan.request();
    return new TextRequest(
        request.guided() ? request.prompts() : request.prompts().withoutNegatives(),
        request.input().numImagesPerPrompt(),
        plan.images(),
        request.text(),
        request.seen().stream().flatMap(reference -> Stream.ofNullable(reference.read())).toList(),
        new BlockContext(List.of(), share(), replica::allReduceSum, listener));
  }

  private Map<String, NDArray> broadcast(NDManager owner, Map<String, NDArray> encoded) {
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
