package io.xfuser.server;

import io.xfuser.failure.PlatformException;
import io.xfuser.internal.failure.Reason;
import io.xfuser.internal.failure.WholeFile;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.bytedeco.ffmpeg.global.avcodec;
import org.bytedeco.ffmpeg.global.avutil;
import org.bytedeco.javacv.FFmpegFrameRecorder;
import org.bytedeco.javacv.FrameRecorder;
import org.bytedeco.javacv.Java2DFrameConverter;

/** Writes frames as an .mp4 of H.264, and pictures as WebP, with FFmpeg's libraries. */
public final class Recorded {
  /** As xDiT's example plays Latte's videos. */
  public static final int FRAMES_PER_SECOND = 8;

  private static final int BITS_PER_PIXEL = 4;
  private static final int VP8_WIDTH = 26;

  private Recorded() {}

  /**
   * Writes {@code file}; it is there whole or not at all. H.264 stores colours for squares of 2 × 2
   * pixels: the last row or column of an odd size is there twice.
   *
   * @param frames at least one, all of one size
   * @param provenance how they were made: {@code parameters} becomes the file's comment, {@code
   *     xfuser} its description
   */
  public static void writeMp4(Path file, List<BufferedImage> frames, Map<String, String> provenance)
      throws IOException {
    try {
      WholeFile.write(file, part -> mp4(part, frames, provenance));
    } catch (LinkageError e) { // JavaCPP unpacks its libraries where the first of them is needed
      throw new PlatformException(
          ("%s cannot be written, for JavaCPP's libraries cannot be unpacked or loaded: %s; the"
                  + " system property org.bytedeco.javacpp.cachedir names another folder for them")
              .formatted(file, Reason.of(e)),
          e);
    }
  }

  /** The bytes of such a file. */
  static byte[] mp4(List<BufferedImage> frames, Map<String, String> provenance) throws IOException {
    return bytes(file -> writeMp4(file, frames, provenance));
  }

  /**
   * The bytes of a WebP file.
   *
   * @param quality 0 to 100
   */
  static byte[] webp(BufferedImage picture, int quality) throws IOException {
    byte[] file = bytes(path -> webp(path, picture, quality));
    // The recorder makes sizes even. VP8 codes squares of 16 pixels whatever the size that its
    // header has (RFC 9649, section 2.5; RFC 6386, section 9.1), so the true size can be put there.
    ByteBuffer header = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    header.putShort(VP8_WIDTH, (short) picture.getWidth());
    header.putShort(VP8_WIDTH + Short.BYTES, (short) picture.getHeight());
    return file;
  }

  private static void webp(Path file, BufferedImage picture, int quality) throws IOException {
    avutil.av_log_set_level(avutil.AV_LOG_ERROR);
    int width = even(picture.getWidth());
    int height = even(picture.getHeight());
    try (FFmpegFrameRecorder recorder = new FFmpegFrameRecorder(file.toFile(), width, height);
        Java2DFrameConverter converter = new Java2DFrameConverter()) {
      recorder.setFormat("webp");
      recorder.setVideoCodec(avcodec.AV_CODEC_ID_WEBP);
      recorder.setVideoCodecName("libwebp");
      recorder.setPixelFormat(avutil.AV_PIX_FMT_YUV420P);
      recorder.setVideoOption("quality", String.valueOf(quality));
      recorder.start();
      recorder.record(converter.convert(padded(picture, width, height)));
      recorder.stop();
    } catch (FrameRecorder.Exception e) {
      throw new IOException(Reason.of(e), e);
    }
  }

  /** What {@code writer} writes to a file; FFmpeg's recorder seeks in it. */
  private static byte[] bytes(Writer writer) throws IOException {
    Path directory = Files.createTempDirectory("xfuser");
    Path file = directory.resolve("recorded");
    try {
      writer.write(file);
      return Files.readAllBytes(file);
    } finally {
      Files.deleteIfExists(file);
      Files.delete(directory);
    }
  }

  @FunctionalInterface
  private interface Writer {
    void write(Path file) throws IOException;
  }

  private static void mp4(Path file, List<BufferedImage> frames, Map<String, String> provenance)
      throws IOException {
    avutil.av_log_set_level(avutil.AV_LOG_ERROR); // else the encoder tells its settings
    int width = even(frames.get(0).getWidth());
    int height = even(frames.get(0).getHeight());
    try (FFmpegFrameRecorder recorder = new FFmpegFrameRecorder(file.toFile(), width, height);
        Java2DFrameConverter converter = new Java2DFrameConverter()) {
      recorder.setFormat("mp4");
      recorder.setVideoCodec(avcodec.AV_CODEC_ID_H264);
      recorder.setVideoCodecName("libopenh264");
      recorder.setPixelFormat(avutil.AV_PIX_FMT_YUV420P);
      recorder.setFrameRate(FRAMES_PER_SECOND);
      recorder.setVideoBitrate(width * height * FRAMES_PER_SECOND * BITS_PER_PIXEL);
      recorder.setMetadata("comment", provenance.getOrDefault("parameters", ""));
      recorder.setMetadata("description", provenance.getOrDefault("xfuser", ""));
      recorder.start();
      for (BufferedImage frame : frames) {
        recorder.record(converter.convert(padded(frame, width, height)));
      }
      recorder.stop();
    } catch (FrameRecorder.Exception e) {
      throw new IOException(Reason.of(e), e);
    }
  }

  private static int even(int side) {
    return side + side % 2;
  }

  private static BufferedImage padded(BufferedImage picture, int width, int height) {
    BufferedImage whole = new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR);
    Graphics2D canvas = whole.createGraphics();
    canvas.drawImage(picture, width - picture.getWidth(), height - picture.getHeight(), null);
    canvas.drawImage(picture, 0, height - picture.getHeight(), null);
    canvas.drawImage(picture, width - picture.getWidth(), 0, null);
    canvas.drawImage(picture, 0, 0, null);
    canvas.dispose();
    return whole;
  }
}
