package io.xfuser.torchscript;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Small functions, counted by hand. x is (2, 5, 8) of bf16: 160 bytes. */
class TrafficTest {
  private static final String CALLS =
      """
      def calls(self, like: Tensor) -> List[Tensor]:
        return [like]

      def counted(self) -> int:
        like = torch.ones([1], dtype=15, device=torch.device("meta"))
        y = self.operation(self.of(like, [2, 5, 8]), self.of(like, [8]), self.layers(like, {"a": [8, 8]}))
        return 0

      def operation(self, x: Tensor, b: Tensor, w: Dict[str, Tensor]) -> Tensor:
        return OPERATION
      """;

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "x.transpose(0, 1).unsqueeze(0).flatten(0, 1)[:, 0:1] | 0 | 0 | 0", // views
        "torch.empty([9], dtype=15, device=x.device) | 0 | 0 | 0",
        "x + x | 1 | 320 | 0", // one tensor, read once
        "x + torch.empty_like(x) | 1 | 480 | 0",
        "x * b | 1 | 336 | 0", // what is spread over others is read once
        "x * b.expand([2, 5, 8]) | 1 | 336 | 0",
        "x.mul_(2) | 1 | 320 | 0", // in place
        "torch.to(x, 6) | 1 | 480 | 1", // twice the size
        "torch.to(x, 15) | 0 | 0 | 0",
        "torch.mul(torch.empty_like(x, dtype=6), b, out=x) | 1 | 496 | 0", // x is only written
        "x.copy_(b) | 1 | 176 | 1",
        "x.fill_(0) | 1 | 160 | 0",
        "torch.cat([x, x], 1) | 1 | 480 | 1",
        "x.transpose(0, 1).contiguous() | 1 | 320 | 1",
        "x.transpose(0, 1).reshape([-1, 8]) | 1 | 320 | 1", // cannot be a view
        "x[0:0] + 1 | 0 | 0 | 0", // nothing to do
        "x[:, :, 0:8:2].mul_(2) | 1 | 320 | 0", // every second: all of the sectors, both ways
        "x[:, :, 0].mul_(2) | 1 | 320 | 0", // rows are of 16 bytes
        "torch.linalg_vector_norm(x, 2, [-1], True, dtype=6) | 1 | 200 | 0", // 10 of fp32
        "self.linear(x, w, 'a') | 1 | 0 | 0",
        "self.mlp_gelu_tanh(x, w, 'a', 'a') | 2 | 0 | 0", // GELU is within the product
        "self.linear_add(x, w, 'a', x) | 2 | 336 | 0", // x + bias, then summed in place
        "self.linear_add(x, w, 'a', x, True) | 2 | 336 | 0",
        "self.modulate(x, b, b, 1e-6) | 1 | 352 | 0",
        "self.attend(x.unsqueeze(1), x.unsqueeze(1), x.unsqueeze(1)) | 1 | 0 | 0"
      })
  void kernelsBytesAndCopies(String operation, int kernels, long bytes, int copies)
      throws IOException {
    assertThat(of(operation)).isEqualTo(new Traffic(kernels, bytes, copies));
  }

  @Test
  void whatTheRulesDoNotKnowIsRefused() {
    assertThatThrownBy(() -> of("torch.erfinv(x)"))
        .hasMessage("the rules do not know aten::erfinv");
  }

  @Test
  void anActivationIsTheUnit() {
    assertThat(new Traffic(1, 480, 0).activations(160)).isEqualTo(3);
  }

  private static Traffic of(String operation) throws IOException {
    return DeviceRun.ofPrelude(CALLS.replace("OPERATION", operation.replace('\'', '"')))
        .traffic("counted", "operation");
  }
}
