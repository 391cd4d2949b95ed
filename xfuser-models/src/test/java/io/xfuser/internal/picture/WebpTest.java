package io.xfuser.internal.picture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.Picture;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.natives.FreshProgram;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WebpTest {
  private static final Path FOLDER = Path.of("src/test/resources/fixtures/reference/files");
  private static final String FOLDER_PROPERTY = "com.luciad.imageio.webp.tmpdir";
  private static final int CANVAS = 24; // in a file: the width less 1
  private static final int FRAME = 44 + 8; // its place

  @Test
  void aFrameLiesWhereItsFileSays() throws IOException {
    byte[] file = Files.readAllBytes(FOLDER.resolve("animated.webp"));
    Bitmap whole = PictureFile.read("image", Picture.of(file));
    file[CANVAS] += 7;
    file[CANVAS + 3] += 5;
    file[FRAME] = 2;
    file[FRAME + 3] = 1;
    Bitmap larger = PictureFile.read("image", Picture.of(file));
    assertThat(larger.width()).isEqualTo(whole.width() + 7);
    assertThat(larger.height()).isEqualTo(whole.height() + 5);
    for (int y = 0; y < larger.height(); y++) {
      for (int x = 0; x < larger.width(); x++) {
        boolean inside = x >= 4 && x < 4 + whole.width() && y >= 2 && y < 2 + whole.height();
        int at = 3 * (y * larger.width() + x);
        int there = 3 * ((y - 2) * whole.width() + x - 4);
        assertThat(larger.values()[at]).isEqualTo(inside ? whole.values()[there] : 0);
      }
    }
    file[FRAME] = 4;
    assertThatThrownBy(() -> PictureFile.read("image", Picture.of(file)))
        .isInstanceOf(ArgumentException.class)
        .hasMessageContaining(" cannot be read as WebP: a frame lies beyond its ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"lossless_alpha.webp", "lossy_alpha.webp", "animated.webp"})
  void whatIsTransparentIsDrawnAnew(String name) {
    Picture mask = Picture.of(FOLDER.resolve(name));
    Bitmap drawn = PictureFile.read("mask_image", ClearMask.of(mask));
    Bitmap ofPng =
        PictureFile.read("mask_image", ClearMask.of(Picture.of(FOLDER.resolve("rgba.png"))));
    assertThat(drawn).hasToString(ofPng.toString());
    assertThat(drawn.values()).isEqualTo(ofPng.values());
  }

  @Test
  void aMaskThatCannotBeReadStaysAsItIs() {
    Picture opaque = Picture.of(FOLDER.resolve("lossless.webp"));
    assertThat(ClearMask.of(opaque)).isSameAs(opaque);
    Picture broken = Picture.of("RIFF\0\0\0\0WEBPVP8 ".getBytes(StandardCharsets.ISO_8859_1));
    assertThat(ClearMask.of(broken)).isSameAs(broken);
  }

  /** An application's own pictures are written by whom they were. */
  @ParameterizedTest
  @ValueSource(strings = {"png", "jpeg", "gif", "bmp"})
  void otherFormatsStayJavas(String format) {
    assertThat(ImageIO.getImageWritersByFormatName(format))
        .toIterable()
        .isNotEmpty()
        .allMatch(writer -> writer.getClass().getName().startsWith("com.sun."));
  }

  @Test
  void aLibraryThatCannotBeUnpackedIsSaid() throws Exception {
    assertThat(shown("-D" + FOLDER_PROPERTY + "=/none"))
        .contains(
            "lossy.webp is WebP, whose library cannot be unpacked into " + Path.of("/none"),
            " (-D" + FOLDER_PROPERTY + " names another folder): ")
        .doesNotContain("\tat ");
  }

  @Test
  void aMachineWithoutTheLibraryIsSaid() throws Exception {
    assertThat(shown("-Dos.arch=riscv64"))
        .contains("lossy.webp is WebP, whose library does not run on ")
        .contains(" with riscv64");
  }

  private static String shown(String options) throws IOException, InterruptedException {
    return FreshProgram.shown(Program.class, Map.of("JAVA_TOOL_OPTIONS", options));
  }

  /** Reads a picture twice, which says the same both times. */
  static final class Program {
    private Program() {}

    public static void main(String[] arguments) {
      Picture picture = Picture.of(FOLDER.resolve("lossy.webp"));
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(() -> PictureFile.read("image", picture))
            .isInstanceOf(ArgumentException.class)
            .satisfies(e -> System.out.println(e.getMessage()));
      }
    }
  }
}
