package io.xfuser.models.internal.text;

import ai.djl.util.Ec2Utils;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.xfuser.failure.PlatformException;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.lang.reflect.Field;
import java.nio.file.Path;
import java.util.List;

/** Uses every native library where it cannot be unpacked, and then where it can. */
final class FirstLoad {
  private static final String CACHE = "DJL_CACHE_DIR";

  private FirstLoad() {}

  /** Takes a place where nothing can be unpacked, and one where everything is. */
  public static void main(String[] args) throws ReflectiveOperationException {
    List<Runnable> uses = List.of(FirstLoad::libtorch, FirstLoad::sentencePiece, FirstLoad::words);
    System.setProperty(CACHE, args[0]);
    for (Runnable use : uses) {
      try {
        use.run();
        System.out.println("it works in " + args[0]);
      } catch (PlatformException e) {
        System.out.println(e.getMessage());
      }
    }
    System.setProperty(CACHE, args[1]);
    uses.forEach(Runnable::run);
    Field reported = Ec2Utils.class.getDeclaredField("lastCheckIn");
    reported.setAccessible(true);
    System.out.println("works now, reported: " + reported.getLong(null));
  }

  private static void libtorch() {
    Torch.prepareThread(1);
    try (var manager = Torch.newManager()) {
      Torch.empty(manager, ElementType.FLOAT32, 2);
    }
  }

  private static void sentencePiece() {
    JsonNode settings = JsonNodeFactory.instance.objectNode();
    Path pieces = TextFixtures.path("pixart_sigma_tiny/tokenizer/spiece.model");
    SentencePieceSubwords.open(pieces, settings).close();
  }

  private static void words() {
    TokenizerJsonSubwords.open(TextFixtures.path("sd3_tiny/tokenizer_3/tokenizer.json")).close();
  }
}
