package io.xfuser.internal.parallel;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What every transport promises of a message. */
class MessageContractTest {
  @ParameterizedTest
  @EnumSource(TestRanks.class)
  void everyElementTypeArrivesBitForBit(TestRanks backend) throws Exception {
    backend.run(
        2,
        world -> {
          Communicator group = TestRanks.all(world);
          try (NDManager scope = Torch.newManager()) {
            for (ElementType type : ElementType.values()) {
              for (int length : new int[] {0, 1, 3, 100_001}) {
                NDArray sent =
                    Torch.cast(scope, TestRanks.numbers(scope, group.rank(), length), type);
                NDArray received = group.rotate(List.of(sent)).await(scope).singletonOrThrow();
                NDArray expected =
                    Torch.cast(scope, TestRanks.numbers(scope, 1 - group.rank(), length), type);
                assertThat(ElementType.of(received)).isEqualTo(type);
                assertThat(Torch.memoryParts(received)).isEqualTo(Torch.memoryParts(expected));
              }
            }
          }
          return true;
        });
  }

  @ParameterizedTest
  @EnumSource(TestRanks.class)
  void transposedTensorsAndScalarsArrive(TestRanks backend) throws Exception {
    backend.run(
        2,
        world -> {
          Communicator group = TestRanks.all(world);
          try (NDManager scope = Torch.newManager()) {
            NDArray turned = TestRanks.numbers(scope, 0, 300, 200).transpose();
            NDList received =
                group
                    .rotate(
                        List.of(
                            turned,
                            Torch.copy(scope, scope.create(7f)),
                            Torch.copy(scope, scope.create(new float[0]))))
                    .await(scope);
            assertThat(received.get(0).getShape()).isEqualTo(new Shape(200, 300));
            assertThat(received.get(0).toFloatArray()).isEqualTo(turned.toFloatArray());
            assertThat(received.get(1).getShape()).isEqualTo(new Shape());
            assertThat(received.get(1).getFloat()).isEqualTo(7);
            assertThat(received.get(2).getShape()).isEqualTo(new Shape(0));
          }
          return true;
        });
  }

  @ParameterizedTest
  @EnumSource(TestRanks.class)
  void receivesMayBeAwaitedInAnyOrderAndSentTensorsClosed(TestRanks backend) throws Exception {
    backend.run(
        2,
        world -> {
          Communicator group = TestRanks.all(world);
          int other = 1 - group.rank();
          List<Pending> posted = new ArrayList<>();
          for (int i = 0; i < 3; i++) {
            try (NDManager brief = Torch.newManager()) {
              group.send(List.of(TestRanks.numbers(brief, i, 1 << 20)), other);
            }
            posted.add(group.receive(other));
          }
          try (NDManager scope = Torch.newManager()) {
            for (int i : new int[] {2, 0, 1}) {
              NDArray received = posted.get(i).await(scope).singletonOrThrow();
              assertThat(received.getFloat(0)).isEqualTo(i);
              assertThat(received.getFloat((1 << 20) - 1)).isEqualTo(i + (1 << 20) - 1f);
            }
          }
          return true;
        });
  }

  @ParameterizedTest
  @EnumSource(TestRanks.class)
  void aLargeUnaskedMessageOnOneChannelDoesNotHoldUpAnother(TestRanks backend) throws Exception {
    backend.run(
        2,
        world -> {
          Communicator bulk = world.group(Channel.RING, List.of(0, 1));
          Communicator small = world.group(Channel.CFG, List.of(0, 1));
          int other = 1 - world.rank();
          try (NDManager scope = Torch.newManager()) {
            bulk.send(List.of(TestRanks.numbers(scope, 1, 8 << 20)), other);
            NDArray answer =
                small.rotate(List.of(Torch.copy(scope, scope.create(3f)))).await(scope).get(0);
            assertThat(answer.getFloat()).isEqualTo(3);
            assertThat(bulk.receive(other).await(scope).get(0).size()).isEqualTo(8 << 20);
          }
          return true;
        });
  }
}
