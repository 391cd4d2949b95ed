package io.xfuser.torchscript;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a function does to a GPU's memory beside its products, counted from the operators that
 * libtorch dispatches on tensors without memory, which take CUDA's branches. The rules:
 *
 * <ul>
 *   <li>An operator that computes is one kernel; one with no elements is none. Views and what only
 *       allocates are none, and operators made of others are what these are.
 *   <li>Products, convolutions and attention are kernels whose traffic is not counted: adding a
 *       bias, GELU and sums are free within them.
 *   <li>Any other kernel reads each of its inputs once, and writes its results: their elements
 *       times the size of one, dimensions of stride 0 counting once. An operand in place is read
 *       and written, one that is given for the result or overwritten is only written.
 *   <li>Memory is moved in sectors of 32 bytes: of a tensor whose nearest elements are further
 *       apart than next to one another, what lies between counts too.
 * </ul>
 *
 * @param kernels launched, products, convolutions and attention included
 * @param bytes read and written by those that are not products or attention
 * @param copies kernels that only move elements or change their type
 */
public record Traffic(int kernels, long bytes, int copies) {
  private static final int SECTOR = 32;

  /** Views, allocations, and what is made of other operators. */
  private static final Set<String> NOTHING =
      names(
          "view as_strided slice select transpose permute expand expand_as unsqueeze squeeze t"
              + " alias flatten unflatten view_as_complex view_as_real _view_as_real _reshape_alias"
              + " narrow unbind chunk split _unsafe_view detach empty empty_like empty_strided"
              + " new_empty empty_permuted to _to_copy contiguous clone reshape linear matmul rsub"
              + " resolve_conj resolve_neg square stack resize_ lift_fresh constant_pad_nd");

  private static final Set<String> PRODUCTS =
      names("addmm addmm_ mm bmm baddbmm _addmm_activation");

  /** The functions that stand in for kernels of attention and of convolution. */
  private static final Set<String> STAND_INS = Set.of("meta_attention", "meta_conv2d");

  private static final Set<String> COPIES = names("copy_ cat");

  /** Kernels whose first operand is overwritten without being read. */
  private static final Set<String> OVERWRITING = names("copy_ fill_ zero_");

  private static final Set<String> ELEMENTWISE =
      names(
          "add add_ sub mul mul_ div div_ addcmul addcmul_ pow rsqrt silu gelu linalg_vector_norm"
              + " sum mean clamp fill_ zero_ exp softmax hypot");

  private static final Set<String> KERNELS =
      Stream.of(PRODUCTS, COPIES, ELEMENTWISE).flatMap(Set::stream).collect(Collectors.toSet());

  private static Set<String> names(String all) {
    return Stream.of(all.split(" ", -1)).map("aten::"::concat).collect(Collectors.toSet());
  }

  /** In units of an activation of so many bytes. */
  public double activations(long bytesOfOne) {
    return (double) bytes / bytesOfOne;
  }

  /**
   * Of the {@code nodes} of a record, what these functions do.
   *
   * @throws IllegalArgumentException naming an operator that the rules do not know
   */
  static Traffic of(JsonNode nodes, Set<String> functions) {
    Map<Long, JsonNode> byId = new HashMap<>();
    nodes.forEach(node -> byId.put(node.get("id").asLong(), node));
    int kernels = 0;
    long bytes = 0;
    int copies = 0;
    for (JsonNode node : nodes) {
      String name = name(node);
      Set<String> around = around(node, byId);
      if (functions.stream().noneMatch(around::contains)
          || STAND_INS.stream().anyMatch(around::contains)
          || around.stream().anyMatch(KERNELS::contains)
          || !isKernel(name, node)) {
        continue;
      }
      kernels++;
      if (!PRODUCTS.contains(name) && !STAND_INS.contains(name)) {
        bytes += moved(name, node);
        copies += COPIES.contains(name) ? 1 : 0;
      }
    }
    return new Traffic(kernels, bytes, copies);
  }

  private static String name(JsonNode node) {
    return node.get("name").asText();
  }

  private static boolean isKernel(String name, JsonNode node) {
    if (STAND_INS.contains(name)) {
      return true;
    }
    Set<Operand> results = operands(node.get("outputs"));
    if (!name.startsWith("aten::") || NOTHING.contains(name) || results.isEmpty()) {
      return false;
    }
    if (!KERNELS.contains(name)) {
      throw new IllegalArgumentException("the rules do not know " + name);
    }
    return results.stream().anyMatch(result -> result.bytes() > 0);
  }

  /** The names of the operators and scopes that a node is part of. */
  private static Set<String> around(JsonNode node, Map<Long, JsonNode> byId) {
    Set<String> names = new HashSet<>();
    long id = node.get("id").asLong();
    long above = node.get("ctrl_deps").asLong();
    while (above != id && byId.containsKey(above)) {
      JsonNode next = byId.get(above);
      names.add(name(next));
      id = above;
      above = next.get("ctrl_deps").asLong();
    }
    return names;
  }

  private static long moved(String name, JsonNode node) {
    Set<Operand> read = operands(node.get("inputs"));
    Set<Operand> written = operands(node.get("outputs"));
    if (OVERWRITING.contains(name) || schema(node).contains("!) out")) {
      read.removeAll(written);
    }
    return read.stream().mapToLong(Operand::bytes).sum()
        + written.stream().mapToLong(Operand::bytes).sum();
  }

  private static String schema(JsonNode node) {
    for (JsonNode attribute : node.get("attrs")) {
      if (attribute.get("name").asText().equals("op_schema")) {
        return attribute.get("value").asText();
      }
    }
    return "";
  }

  /** The tensors without memory among {@code values}, each once. */
  private static Set<Operand> operands(JsonNode values) {
    Set<Operand> all = new LinkedHashSet<>();
    collect(values.get("values"), values.get("shapes"), values.get("strides"), all);
    return all;
  }

  private static void collect(JsonNode values, JsonNode shapes, JsonNode strides, Set<Operand> to) {
    for (int i = 0; i < values.size(); i++) {
      JsonNode value = values.get(i);
      if (value.isArray() && value.size() == 6 && value.get(5).asText().equals("meta")) {
        // [tensor, storage, offset, elements, bytes of one, device]
        to.add(
            new Operand(
                value.get(0).asLong(), shapes.get(i), strides.get(i), value.get(4).asLong()));
      } else if (value.isArray()) {
        collect(value, shapes.get(i), strides.get(i), to);
      }
    }
  }

  private record Operand(long tensor, JsonNode shape, JsonNode strides, long size) {
    long bytes() {
      long elements = 1;
      long nearest = Long.MAX_VALUE;
      for (int d = 0; d < shape.size(); d++) {
        long count = shape.get(d).asLong();
        long stride = strides.get(d).asLong();
        elements *= stride == 0 ? Math.min(count, 1) : count;
        if (count > 1 && stride > 0) {
          nearest = Math.min(nearest, stride);
        }
      }
      long apart = nearest == Long.MAX_VALUE ? size : nearest * size;
      return elements * Math.max(size, Math.min(apart, SECTOR));
    }
  }
}
