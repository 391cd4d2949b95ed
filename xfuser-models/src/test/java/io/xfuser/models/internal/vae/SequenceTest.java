package io.xfuser.models.internal.vae;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class SequenceTest {
  @Test
  void aLayersResultDiesOnceTheNextLayerHasReadIt() {
    Torch.prepareThread(1);
    List<Integer> alive = new ArrayList<>();
    Layer layer =
        (owner, x, strip) -> {
          alive.add(owner.getManagedArrays().size());
          return new Upsample().forward(owner, x, strip);
        };
    try (NDManager input = Torch.newManager();
        NDManager owner = Torch.newManager()) {
      NDArray x = input.ones(new Shape(1, 1, 2, 3));
      NDArray y = new Sequence(Collections.nCopies(4, layer)).forward(owner, x, Strip.whole());
      assertThat(alive).containsExactly(0, 1, 1, 1);
      assertThat(owner.getManagedArrays()).containsExactly(y);
      assertThat(y.getShape()).isEqualTo(new Shape(1, 1, 32, 48));
      assertThat(x.toFloatArray()).hasSize(6);
    }
  }
}
