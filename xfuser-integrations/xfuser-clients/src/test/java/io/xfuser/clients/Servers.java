package io.xfuser.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.EngineConfig;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.server.ImageServer;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.stream.Stream;
import javax.imageio.ImageIO;

/** Servers of small models, and their pictures. */
final class Servers {
  private static final Path FIXTURES = Path.of("../../xfuser-models/src/test/resources/fixtures");

  private Servers() {}

  /** Of a pipeline that all tests share, which stays open as long as the JVM. */
  static XDiTParallel ranks() {
    return XDiTParallel.inProcess(Opened.PIPELINE, Opened.ENGINE);
  }

  static ImageServer start() {
    return ImageServer.builder().model("tiny", ranks()).port(0).start();
  }

  /** A model that takes prompts and pictures, and few steps where none are asked for. */
  private static final class Opened {
    static final EngineConfig ENGINE = EngineConfig.of(model());
    static final DiffusionPipeline PIPELINE = DiffusionPipeline.fromPretrained(ENGINE);

    private static Path model() {
      try (Stream<Path> parts = Files.list(FIXTURES.resolve("flux_dev_tiny").toAbsolutePath())) {
        Path folder = Files.createTempDirectory("tiny");
        folder.toFile().deleteOnExit();
        for (Path part : (Iterable<Path>) parts::iterator) {
          Path link = Files.createSymbolicLink(folder.resolve(part.getFileName()), part);
          link.toFile().deleteOnExit();
        }
        Path defaults = folder.resolve("xfuser.json");
        Files.writeString(defaults, "{\"num_inference_steps\": 2}").toFile().deleteOnExit();
        return folder;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** All that a user changes in a client. */
  static String base(ImageServer server) {
    return "http://127.0.0.1:" + server.port() + "/v1";
  }

  static BufferedImage picture(String base64) {
    return picture(Base64.getDecoder().decode(base64));
  }

  static BufferedImage picture(byte[] file) {
    try {
      BufferedImage picture = ImageIO.read(new ByteArrayInputStream(file));
      assertThat(picture).isNotNull();
      return picture;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static int[] pixels(BufferedImage picture) {
    int width = picture.getWidth();
    return picture.getRGB(0, 0, width, picture.getHeight(), null, 0, width);
  }

  /** A PNG file of one colour, whose left half may be seen through. */
  static byte[] png(Color colour, boolean clear) {
    BufferedImage picture = new BufferedImage(64, 64, BufferedImage.TYPE_INT_ARGB);
    for (int x = 0; x < 64; x++) {
      for (int y = 0; y < 64; y++) {
        picture.setRGB(x, y, clear && x < 32 ? 0 : colour.getRGB());
      }
    }
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    try {
      ImageIO.write(picture, "png", file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return file.toByteArray();
  }
}
