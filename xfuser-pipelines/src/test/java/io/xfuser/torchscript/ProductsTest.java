package io.xfuser.torchscript;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.testing.Factories;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every operator of every program that multiplies matrices or convolves. What each multiplies in
 * which type, {@code DevicesTest} shows.
 */
class ProductsTest {
  /** Nothing else multiplies; these choose the type, or get what {@code product_type} gave. */
  private static final Map<String, Set<String>> ALL =
      Map.ofEntries(
          Map.entry("products.py matmul", Set.of("matmul")),
          Map.entry("products.py attend_masked", Set.of("scaled_dot_product_attention")),
          Map.entry("products.py attend_by_pairs", Set.of("bmm")),
          Map.entry("products.py convolution", Set.of("_convolution", "conv2d")),
          Map.entry("products.py convolution_over_frames", Set.of("_convolution", "conv3d")),
          Map.entry("int8.py int8_pack", Set.of("fbgemm_pack_quantized_matrix")),
          Map.entry("int8.py int8_product", Set.of("fbgemm_linear_int8_weight_fp32_activation")),
          Map.entry("linear_plain.py plain_gelu_tanh", Set.of("linear", "_addmm_activation")),
          Map.entry("linear_plain.py plain_add", Set.of("linear", "addmm")),
          Map.entry("linear_plain.py product_into", Set.of("addmm", "mm")),
          Map.entry("linear_onednn.py pointwise", Set.of("_linear_pointwise")),
          Map.entry("linear_onednn.py product_add", Set.of("_linear_pointwise")),
          Map.entry("linear_plain.py plain_product", Set.of("linear")),
          // kernels of attention that are asked for by name
          Map.entry("attention.py attend_rows", Set.of("_scaled_dot_product_attention_math")),
          Map.entry(
              "attention.py fused",
              Set.of(
                  "_scaled_dot_product_flash_attention_for_cpu",
                  "_scaled_dot_product_flash_attention",
                  "_scaled_dot_product_efficient_attention",
                  "_scaled_dot_product_cudnn_attention")));

  private static final List<String> LIBRARY = List.of("tensors", "core", "pipelines");

  /** All programs below the models. */
  static List<Path> programs() {
    return LIBRARY.stream().flatMap(module -> Factories.programs(of(module)).stream()).toList();
  }

  private static Path of(String module) {
    return Path.of("../xfuser-" + module + "/src/main/resources");
  }

  @Test
  void onlyTheseFunctionsMultiply() throws IOException {
    Map<String, Set<String>> found = new TreeMap<>();
    for (String module : LIBRARY) {
      found.putAll(ProductOperators.in(of(module)));
    }
    assertThat(found).isEqualTo(ALL);
  }

  @Test
  void noProgramGoesAroundThem() throws IOException {
    assertThat(ProductOperators.in(of("models"))).isEmpty();
    // but for one that measures the operators themselves
    assertThat(ProductOperators.in(of("examples")).keySet())
        .allMatch(function -> function.startsWith("fusing.py "));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "torch.linear(x, w)",
        "x.matmul(w)",
        "x @ w",
        "torch.fbgemm_linear_int8_weight(x, w, w, w, 1., 0, w)",
        "torch.mm(x, w)",
        "x.bmm(w)",
        "torch.mv(x, w)",
        "torch.addmm(b, x, w)",
        "b.addmm_(x, w)",
        "torch.baddbmm(b, x, w)",
        "torch.addbmm(b, x, w)",
        "torch.einsum('ij,kj->ik', [x, w])",
        "torch.tensordot(x, w, [1], [1])",
        "torch.inner(x, w)",
        "torch.dot(x, w)",
        "torch.linalg_matmul(x, w)",
        "torch.linalg_multi_dot([x, w])",
        "torch.conv1d(x, w)",
        "torch.conv2d(x, w)",
        "torch.conv3d(x, w)",
        "torch.conv_transpose2d(x, w)",
        "torch.convolution(x, w)",
        "torch.mkldnn_convolution(x, w)",
        "torch.scaled_dot_product_attention(x, x, x)",
        "torch._scaled_mm(x, w)",
        "torch._scaled_dot_product_flash_attention_for_cpu(x, x, x)",
        "torch._addmm_activation(b, x, w)",
        "ops.mkldnn._linear_pointwise(x, w)",
        "ops.mkldnn._convolution_pointwise(x, w)",
        "torch.bilinear(x, x, w)",
        "torch.cdist(x, w)",
        "torch.lstm(x, w)"
      })
  void everyOperatorThatMultipliesIsFound(String call) {
    String text = "def f(self, x: Tensor, w: Tensor) -> Tensor:\n  # torch.mm\n  return " + call;
    assertThat(ProductOperators.in(text)).containsOnlyKeys("f");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "self.linear(x, w)",
        "self.matmul(x, w)",
        "torch.upsample_bilinear2d(x, [2], False)",
        "torch.mul(x, w)",
        "torch.mm_free(x)"
      })
  void othersAreNot(String call) {
    String text = "def f(self, x: Tensor, w: Tensor) -> Tensor:\n  return " + call;
    assertThat(ProductOperators.in(text)).isEmpty();
  }
}
