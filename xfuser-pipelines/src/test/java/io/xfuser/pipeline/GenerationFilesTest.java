package io.xfuser.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.modality.cv.BufferedImageFactory;
import ai.djl.modality.cv.Image;
import io.xfuser.internal.runtime.RankPictures;
import io.xfuser.internal.runtime.RankResult;
import io.xfuser.report.RunReport;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GenerationFilesTest {
  @SuppressWarnings("NullAway") // files tell nothing of what it took
  private static final RunReport NO_REPORT = null;

  @TempDir private Path directory = Path.of("");

  @Test
  void aSecondRequestsPicturesGoOnAfterThoseOfTheFirst() throws IOException {
    assertThat(names(pictures(2, 0, 2).save(directory))).containsExactly("m_l_0.png", "m_l_1.png");
    assertThat(names(pictures(2, 0, 2).save(directory))).containsExactly("m_l_2.png", "m_l_3.png");
    Files.delete(directory.resolve("m_l_1.png"));
    Files.writeString(directory.resolve("m_l_7.safetensors"), "");
    Files.writeString(directory.resolve("m_other_9.png"), "");
    Files.writeString(directory.resolve("m_l_9_compared.png"), "");
    assertThat(names(pictures(1, 0, 1).save(directory))).containsExactly("m_l_8.png");
  }

  @Test
  void processesThatAgreedOnANumberKeepTheOrderOfTheRequest() throws IOException {
    Generation first = pictures(4, 0, 2);
    Generation second = pictures(4, 2, 2);
    int number = OutputFiles.next(directory, "m_l");
    assertThat(names(second.save(directory, number))).containsExactly("m_l_2.png", "m_l_3.png");
    assertThat(names(first.save(directory, number))).containsExactly("m_l_0.png", "m_l_1.png");
    number = OutputFiles.next(directory, "m_l");
    assertThat(names(first.save(directory, number))).containsExactly("m_l_4.png", "m_l_5.png");
    assertThat(names(second.save(directory, number))).containsExactly("m_l_6.png", "m_l_7.png");
  }

  @Test
  void processesThatDidNotAgreeNeverTakeEachOthersNumbers() throws IOException {
    assertThat(names(pictures(2, 1, 1).save(directory))).containsExactly("m_l_1.png");
    assertThat(names(pictures(2, 0, 1).save(directory))).containsExactly("m_l_0.png");
    assertThat(names(pictures(2, 0, 1).save(directory))).containsExactly("m_l_2.png");
    assertThat(names(pictures(2, 1, 1).save(directory))).containsExactly("m_l_3.png");
  }

  @Test
  void manyThatSaveAtOnceOverwriteNothingAndLeaveNothingElse() throws IOException {
    List<String> names =
        IntStream.range(0, 24)
            .parallel()
            .mapToObj(i -> save(pictures(1, 0, 1)))
            .flatMap(files -> names(files).stream())
            .toList();
    assertThat(names).hasSize(24).doesNotHaveDuplicates();
    try (var files = Files.list(directory)) {
      assertThat(files).hasSize(24);
    }
  }

  @Test
  void picturesInMemoryAreWhatIsSaved() throws IOException {
    Generation videos = of(2, 0, 4, 2);
    List<byte[]> files = videos.pngs();
    List<Path> saved = videos.save(directory);
    assertThat(files).hasSameSizeAs(saved);
    for (int i = 0; i < files.size(); i++) {
      assertThat(files.get(i)).isEqualTo(Files.readAllBytes(saved.get(i)));
    }
  }

  @Test
  void theFramesOfAVideoShareANumber() throws IOException {
    Generation videos = of(2, 0, 4, 2);
    List<String> expected = List.of("m_l_0_0000.png", "m_l_0_0001.png", "m_l_1_0000.png");
    assertThat(names(videos.save(directory))).startsWith(expected.toArray(String[]::new));
    Files.delete(directory.resolve("m_l_0_0000.png"));
    assertThat(names(videos.save(directory))).startsWith("m_l_2_0000.png", "m_l_2_0001.png");
  }

  @Test
  void aPictureTellsHowItWasMadeInAllLettersAndIsStillAPicture() throws IOException {
    Path file = pictures(2, 1, 1).save(directory).get(0);
    byte[] png = Files.readAllBytes(file);
    assertThat(new String(png, StandardCharsets.ISO_8859_1))
        .contains("tEXtplain\0picture 1")
        .contains(
            "iTXtletters\0\0\0\0\0"
                + new String("🦊 1".getBytes(UTF_8), StandardCharsets.ISO_8859_1));
    BufferedImage read = ImageIO.read(file.toFile());
    assertThat(read.getWidth()).isEqualTo(3);
    assertThat(read.getRGB(0, 0) & 0xFF).isEqualTo(1);
  }

  private List<Path> save(Generation generation) {
    try {
      return generation.save(directory);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static List<String> names(List<Path> files) {
    return files.stream().map(file -> file.getFileName().toString()).toList();
  }

  private static Generation pictures(int total, int first, int count) {
    return of(total, first, count, 1);
  }

  /** The blue of each picture is its number. */
  private static Generation of(int total, int first, int images, int frames) {
    List<Image> pictures =
        IntStream.range(0, images)
            .mapToObj(
                i -> {
                  BufferedImage picture = new BufferedImage(3, 2, BufferedImage.TYPE_INT_RGB);
                  picture.setRGB(0, 0, first + i);
                  return new BufferedImageFactory().fromImage(picture);
                })
            .toList();
    Generation.Output output =
        new Generation.Output(
            "m_l",
            "latents",
            frames,
            8,
            total,
            picture -> Map.of("plain", "picture " + picture, "letters", "🦊 " + picture));
    return Generation.of(
        List.of(new RankResult(new RankPictures(first, pictures, null), NO_REPORT, null)), output);
  }
}
