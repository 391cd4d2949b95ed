package io.xfuser.server;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOInvalidTreeException;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageOutputStream;
import org.bytedeco.ffmpeg.global.avutil;
import org.bytedeco.javacv.FFmpegFrameFilter;
import org.bytedeco.javacv.Frame;
import org.bytedeco.javacv.FrameFilter;

/**
 * Animated GIF, of 256 colours that FFmpeg chooses for all frames and dithers to; the JDK writes
 * the file. It plays again and again.
 */
final class Gif {
  /** What viewers show as fast as it says: a hundredth of a second alone is taken for ten. */
  static final int MOST_PER_SECOND = 50;

  private static final int HUNDREDTHS = 100;
  private static final int COLORS = 256;
  private static final int OPAQUE = 0xff000000;
  private static final String METADATA = "javax_imageio_gif_image_1.0";

  /** Only where something moves is dithered anew, so that what stands still does. */
  private static final String FILTERS =
      "split[all][these];[all]palettegen=max_colors=256:reserve_transparent=0[palette];"
          + "[these][palette]paletteuse=dither=sierra2_4a:diff_mode=rectangle,format=bgr24";

  private Gif() {}

  /** Writes {@code file}. */
  static void write(Path file, Recorded.Video video) throws IOException {
    List<BufferedImage> frames = indexed(reduced(video.frames()));
    ImageWriter writer = ImageIO.getImageWritersByFormatName("gif").next();
    try (ImageOutputStream out = ImageIO.createImageOutputStream(file.toFile())) {
      if (out == null) {
        throw new IOException("no file");
      }
      writer.setOutput(out);
      writer.prepareWriteSequence(null);
      for (int i = 0; i < frames.size(); i++) {
        BufferedImage frame = frames.get(i);
        IIOMetadata metadata =
            writer.getDefaultImageMetadata(
                new ImageTypeSpecifier(frame.getColorModel(), frame.getSampleModel()), null);
        describe(metadata, delay(i, video.perSecond()), i == 0);
        writer.writeToSequence(new IIOImage(frame, null, metadata), null);
      }
      writer.endWriteSequence();
    } finally {
      writer.dispose();
    }
  }

  /** Hundredths of a second for which a frame is shown, so that all of them end in time. */
  static int delay(int frame, double perSecond) {
    long until = Math.round((frame + 1) * HUNDREDTHS / perSecond);
    return (int) (until - Math.round(frame * HUNDREDTHS / perSecond));
  }

  private static void describe(IIOMetadata metadata, int delay, boolean first)
      throws IIOInvalidTreeException {
    IIOMetadataNode root = (IIOMetadataNode) metadata.getAsTree(METADATA);
    IIOMetadataNode control =
        (IIOMetadataNode) root.getElementsByTagName("GraphicControlExtension").item(0);
    control.setAttribute("disposalMethod", "none");
    control.setAttribute("delayTime", String.valueOf(delay));
    if (first) {
      IIOMetadataNode again = new IIOMetadataNode("ApplicationExtension");
      again.setAttribute("applicationID", "NETSCAPE");
      again.setAttribute("authenticationCode", "2.0");
      again.setUserObject(new byte[] {1, 0, 0}); // for ever
      IIOMetadataNode extensions = new IIOMetadataNode("ApplicationExtensions");
      extensions.appendChild(again);
      root.appendChild(extensions);
    }
    metadata.setFromTree(METADATA, root);
  }

  /** The frames in no more than {@link #COLORS} colours. */
  private static List<int[][]> reduced(List<BufferedImage> frames) throws IOException {
    avutil.av_log_set_level(avutil.AV_LOG_ERROR);
    int width = frames.get(0).getWidth();
    int height = frames.get(0).getHeight();
    List<int[][]> reduced = new ArrayList<>();
    try (FFmpegFrameFilter filter = new FFmpegFrameFilter(FILTERS, width, height)) {
      filter.setPixelFormat(avutil.AV_PIX_FMT_BGR24);
      filter.start();
      for (BufferedImage frame : frames) {
        filter.pushImage(
            0,
            width,
            height,
            Frame.DEPTH_UBYTE,
            3,
            width * 3,
            avutil.AV_PIX_FMT_BGR24,
            bytes(frame));
      }
      filter.push(null);
      for (Frame made = filter.pullImage(); made != null; made = filter.pullImage()) {
        reduced.add(pixels(made, width, height));
      }
    } catch (FrameFilter.Exception e) {
      throw new IOException(e.getMessage(), e);
    }
    return reduced;
  }

  private static ByteBuffer bytes(BufferedImage frame) {
    int width = frame.getWidth();
    ByteBuffer bytes = ByteBuffer.allocateDirect(width * frame.getHeight() * 3);
    for (int pixel : frame.getRGB(0, 0, width, frame.getHeight(), null, 0, width)) {
      bytes.put((byte) pixel).put((byte) (pixel >> 8)).put((byte) (pixel >> 16));
    }
    return bytes.flip();
  }

  private static int[][] pixels(Frame frame, int width, int height) {
    ByteBuffer bytes = (ByteBuffer) frame.image[0];
    int[][] rows = new int[height][width];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int at = y * frame.imageStride + x * 3; // blue, green, red
        rows[y][x] =
            OPAQUE
                | (bytes.get(at + 2) & 0xff) << 16
                | (bytes.get(at + 1) & 0xff) << 8
                | (bytes.get(at) & 0xff);
      }
    }
    return rows;
  }

  private static List<BufferedImage> indexed(List<int[][]> frames) throws IOException {
    Map<Integer, Integer> numbers = new LinkedHashMap<>();
    for (int[][] frame : frames) {
      for (int[] row : frame) {
        for (int color : row) {
          numbers.putIfAbsent(color, numbers.size());
        }
      }
    }
    if (numbers.size() > COLORS) {
      throw new IOException(numbers.size() + " colours in a GIF");
    }
    int[] palette = new int[COLORS];
    numbers.forEach((color, number) -> palette[number] = color);
    IndexColorModel colors = new IndexColorModel(8, COLORS, palette, 0, false, -1, 0);
    List<BufferedImage> indexed = new ArrayList<>();
    for (int[][] frame : frames) {
      BufferedImage image =
          new BufferedImage(frame[0].length, frame.length, BufferedImage.TYPE_BYTE_INDEXED, colors);
      for (int y = 0; y < frame.length; y++) {
        for (int x = 0; x < frame[y].length; x++) {
          image.getRaster().setSample(x, y, 0, numbers.getOrDefault(frame[y][x], 0));
        }
      }
      indexed.add(image);
    }
    return indexed;
  }
}
