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
import org.bytedeco.javacv.Frame;
import org.bytedeco.javacv.FrameRecorder;
import org.bytedeco.javacv.Java2DFrameConverter;

/** Writes frames as files that play, and pictures as WebP, with FFmpeg's libraries. */
public final class Recorded {
  private static final int BITS_PER_PIXEL = 4;
  private static final int VP8_WIDTH = 26;

  private Recorded() {}

  /** Kinds of files that play. */
  public enum Format {
    /** H.264, for players and pages. */
    MP4("mp4", avcodec.AV_CODEC_ID_H264, "libopenh264"),
    /** Animated WebP, which plays wherever pictures are shown, again and again. */
    WEBP("webp", avcodec.AV_CODEC_ID_WEBP, "libwebp_anim"),
    /** Animated GIF, of 256 colours, which plays everywhere, again and again. */
    GIF("gif", avcodec.AV_CODEC_ID_GIF, "gif");

    private final String name;
    private final int codec;
    private final String encoder;

    Format(String name, int codec, String encoder) {
      this.name = name;
      this.codec = codec;
      this.encoder = encoder;
    }

    /** How many frames such a file can show in a second. */
    public double mostPerSecond() {
      return this == GIF ? Gif.MOST_PER_SECOND : Double.POSITIVE_INFINITY;
    }

    /** How names of such files end, without the dot. */
    public String extension() {
      return name;
    }
  }

  /**
   * The frames of a video.
   *
   * @param frames at least one, all of one size
   * @param perSecond how many are shown in a second
   * @param provenance how they were made: {@code parameters} becomes the file's comment, {@code
   *     xfuser} its description, where the kind of file has such
   */
  public record Video(
      List<BufferedImage> frames, double perSecond, Map<String, String> provenance) {}

  /**
   * Writes {@code file}; it is there whole or not at all. Colours are stored for squares of 2 × 2
   * pixels: the last row or column of an odd size is there twice.
   */
  public static void write(Path file, Format format, Video video) throws IOException {
    try {
      WholeFile.write(file, part -> record(part, format, video));
    } catch (LinkageError e) { // JavaCPP unpacks its libraries where the first of them is needed
      throw new PlatformException(
          ("%s cannot be written, for JavaCPP's libraries cannot be unpacked or loaded: %s; the"
                  + " system property org.bytedeco.javacpp.cachedir names another folder for them")
              .formatted(file, Reason.of(e)),
          e);
    }
  }

  /** The bytes of such a file. */
  static byte[] bytes(Format format, Video video) throws IOException {
    return bytes(file -> write(file, format, video));
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

  private static void record(Path file, Format format, Video video) throws IOException {
    if (format == Format.GIF) {
      Gif.write(file, video);
      return;
    }
    avutil.av_log_set_level(avutil.AV_LOG_ERROR); // else the encoder tells its settings
    int width = even(video.frames().get(0).getWidth());
    int height = even(video.frames().get(0).getHeight());
    Yuv colours = format == Format.MP4 ? Yuv.of(width, height) : Yuv.BT601;
    try (FFmpegFrameRecorder recorder = new FFmpegFrameRecorder(file.toFile(), width, height)) {
      recorder.setFormat(format.name);
      recorder.setVideoCodec(format.codec);
      recorder.setVideoCodecName(format.encoder);
      recorder.setPixelFormat(avutil.AV_PIX_FMT_YUV420P);
      recorder.setFrameRate(video.perSecond());
      recorder.setVideoBitrate(
          (int) Math.min(Integer.MAX_VALUE, video.perSecond() * width * height * BITS_PER_PIXEL));
      if (format == Format.MP4) {
        colours.tags().forEach(recorder::setVideoOption);
        recorder.setMetadata("comment", video.provenance().getOrDefault("parameters", ""));
        recorder.setMetadata("description", video.provenance().getOrDefault("xfuser", ""));
      } else {
        recorder.setVideoOption("quality", "90");
        recorder.setOption("loop", "0");
      }
      recorder.start();
      for (BufferedImage frame : video.frames()) {
        ByteBuffer planes = colours.planes(padded(frame, width, height));
        recorder.recordImage(
            width, height, Frame.DEPTH_UBYTE, 1, width, avutil.AV_PIX_FMT_YUV420P, planes);
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
