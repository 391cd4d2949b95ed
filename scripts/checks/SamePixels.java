import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.util.Arrays;
import javax.imageio.ImageIO;

/**
 * SamePixels FILE FILE: exits with 0 if both pictures have the same pixels, whatever else their
 * files say.
 */
final class SamePixels {
  public static void main(String[] files) throws IOException {
    System.exit(Arrays.equals(pixels(files[0]), pixels(files[1])) ? 0 : 1);
  }

  /** Width, then the pixels row by row. */
  private static int[] pixels(String file) throws IOException {
    BufferedImage picture = ImageIO.read(new File(file));
    int width = picture.getWidth();
    int height = picture.getHeight();
    int[] all = new int[1 + width * height];
    all[0] = width;
    return picture.getRGB(0, 0, width, height, all, 1, width);
  }
}
