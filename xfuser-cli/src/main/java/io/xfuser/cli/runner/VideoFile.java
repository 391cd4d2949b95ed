package io.xfuser.cli.runner;

import ai.djl.modality.cv.Image;
import io.xfuser.failure.PlatformException;
import io.xfuser.internal.failure.Reason;
import io.xfuser.internal.failure.WholeFile;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.bytedeco.ffmpeg.global.avcodec;
import org.bytedeco.ffmpeg.global.avutil;
import org.bytedeco.javacv.FFmpegFrameRecorder;
import org.bytedeco.javacv.FrameRecorder;
import org.bytedeco.javacv.Java2DFrameConverter;

/** Writes frames as an .mp4 of H.264, with FFmpeg's libraries. */
final class VideoFile {
  /** As xDiT's example plays Latte's videos. */
  static final int FRAMES_PER_SECOND = 8;

  private static final int BITS_PER_PIXEL = 4;

  private VideoFile() {}

  /**
   * Writes {@code file}; it is there whole or not at all. H.264 stores colours for squares of 2 × 2
   * pixels: the last row or column of an odd size is there twice.
   *
   * @param frames at least one, all of one size
   * @param provenance how they were made: {@code parameters} becomes the file's comment, {@code
   *     xfuser} its description
   */
  static void write(Path file, List<Image> frames, Map<String, String> provenance)
      throws IOException {
    try {
      WholeFile.write(file, part -> record(part, frames, provenance));
    } catch (LinkageError e) { // JavaCPP unpacks its libraries where the first of them is needed
      throw new PlatformException(
          ("%s cannot be written, for JavaCPP's libraries cannot be unpacked or loaded: %s; the"
                  + " system property org.bytedeco.javacpp.cachedir names another folder for them")
              .formatted(file, Reason.of(e)),
          e);
    }
  }

  private static void record(Path file, List<Image> frames, Map<String, String> provenance)
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
      for (Image frame : frames) {
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

  private static BufferedImage padded(Image frame, int width, int height) {
    BufferedImage picture = (BufferedImage) frame.getWrappedImage();
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
