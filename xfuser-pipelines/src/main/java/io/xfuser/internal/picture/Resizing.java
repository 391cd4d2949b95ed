package io.xfuser.internal.picture;

/**
 * Other sizes of 8-bit pictures, to the last bit as Pillow's {@code Image.resize} and diffusers'
 * {@code VaeImageProcessor} make them: rows, then columns, each with weights of 22 bits.
 */
public final class Resizing {
  private static final int BITS = 22;

  private Resizing() {}

  /** How neighbours are weighed: by a function of their distance, which is 0 from the reach on. */
  private enum Filter {
    LANCZOS(3) {
      @Override
      double weight(double x) {
        return sinc(x) * sinc(x / 3);
      }
    },
    /** Keys' with a = −1/2. */
    BICUBIC(2) {
      @Override
      double weight(double x) {
        double d = Math.abs(x);
        return d < 1 ? (1.5 * d - 2.5) * d * d + 1 : (((d - 5) * d + 8) * d - 4) * -0.5;
      }
    };

    private final double reach;

    Filter(double reach) {
      this.reach = reach;
    }

    abstract double weight(double x);

    private static double sinc(double x) {
      return x == 0 ? 1 : StrictMath.sin(x * Math.PI) / (x * Math.PI);
    }

    private double at(double x) {
      return -reach <= x && x < reach ? weight(x) : 0;
    }
  }

  /** The whole picture in another size, whatever its proportions: diffusers' mode "default". */
  public static Bitmap stretched(Bitmap image, int width, int height) {
    return resized(image, width, height, Filter.LANCZOS);
  }

  /** The same by Pillow's bicubic filter. */
  public static Bitmap stretchedCubic(Bitmap image, int width, int height) {
    return resized(image, width, height, Filter.BICUBIC);
  }

  /** As much of the middle as covers the size: diffusers' mode "crop". */
  static Bitmap cropped(Bitmap image, int width, int height) {
    return middle(inside(image, width, height, false), width, height);
  }

  /** All of it in the middle, its edges drawn out to the sides: diffusers' mode "fill". */
  public static Bitmap filled(Bitmap image, int width, int height) {
    Bitmap middle = inside(image, width, height, true);
    Bitmap all = middle(middle, width, height);
    int above = height / 2 - middle.height() / 2;
    int beside = width / 2 - middle.width() / 2;
    if (above > 0) {
      Bitmap.paste(along(middle, new Span(0, 0), above, false), all, 0, 0);
      Span bottom = new Span(middle.height(), middle.height());
      Bitmap.paste(along(middle, bottom, above, false), all, 0, above + middle.height());
    } else if (beside > 0) {
      Bitmap.paste(along(middle, new Span(0, 0), beside, true), all, 0, 0);
      Span right = new Span(middle.width(), middle.width());
      Bitmap.paste(along(middle, right, beside, true), all, beside + middle.width(), 0);
    }
    return all;
  }

  /** In its proportions: as large as fits into the size, or as small as covers it. */
  private static Bitmap inside(Bitmap image, int width, int height, boolean fits) {
    double ratio = (double) width / height;
    double own = (double) image.width() / image.height();
    boolean byWidth = fits ? ratio < own : ratio > own;
    boolean byHeight = fits ? ratio >= own : ratio <= own;
    int w = byWidth ? width : (int) ((long) image.width() * height / image.height());
    int h = byHeight ? height : (int) ((long) image.height() * width / image.width());
    return resized(image, Math.max(1, w), Math.max(1, h), Filter.LANCZOS);
  }

  /** The middle of the picture, in its own pixels; black beside it where it is smaller. */
  public static Bitmap middle(Bitmap image, int width, int height) {
    Bitmap all = Bitmap.black(width, height, image.channels());
    int left = width / 2 - image.width() / 2;
    int top = height / 2 - image.height() / 2;
    Bitmap.paste(image, all, left, top);
    return all;
  }

  /**
   * Rows are resized first, columns then; or the other way round where that saves more than twice
   * as many rows as columns, as in Pillow 13. Those before it differ there by 1 of 255.
   */
  private static Bitmap resized(Bitmap image, int width, int height, Filter filter) {
    int savedRows = image.height() - height;
    int savedColumns = image.width() - width;
    return savedRows > 0 && savedRows > 2 * savedColumns
        ? wider(taller(image, height, filter), width, filter)
        : taller(wider(image, width, filter), height, filter);
  }

  private static Bitmap wider(Bitmap image, int width, Filter filter) {
    Span all = new Span(0, image.width());
    return width == image.width()
        ? image
        : pass(image, Weights.of(all, image.width(), width, filter), true);
  }

  private static Bitmap taller(Bitmap image, int height, Filter filter) {
    Span all = new Span(0, image.height());
    return height == image.height()
        ? image
        : pass(image, Weights.of(all, image.height(), height, filter), false);
  }

  /** So many columns or rows of what is in {@code span}, which may be an edge without width. */
  private static Bitmap along(Bitmap image, Span span, int size, boolean columns) {
    int all = columns ? image.width() : image.height();
    return pass(image, Weights.of(span, all, size, Filter.BICUBIC), columns);
  }

  private static Bitmap pass(Bitmap image, Weights[] weights, boolean columns) {
    int width = columns ? weights.length : image.width();
    int height = columns ? image.height() : weights.length;
    int channels = image.channels();
    int step = columns ? channels : image.width() * channels; // between what is added up
    byte[] values = image.values();
    Bitmap made = Bitmap.black(width, height, channels);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        Weights sum = weights[columns ? x : y];
        int first = columns ? y * image.width() + sum.first : sum.first * width + x;
        for (int c = 0; c < channels; c++) {
          int value = 1 << (BITS - 1);
          int from = first * channels + c;
          for (int weight : sum.weights) {
            value += (values[from] & 0xFF) * weight;
            from += step;
          }
          made.set(x, y, c, Math.max(0, Math.min(255, value >> BITS)));
        }
      }
    }
    return made;
  }

  private record Span(double from, double to) {}

  /** What one column or row is a sum of: weights of {@code first} and those after it. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Weights(int first, int[] weights) {
    /** Those of {@code size} columns or rows that take the place of those in {@code span}. */
    static Weights[] of(Span span, int all, int size, Filter filter) {
      double step = (span.to - span.from) / size;
      double scale = Math.max(1, step);
      Weights[] each = new Weights[size];
      for (int i = 0; i < size; i++) {
        double centre = span.from + (i + 0.5) * step;
        int first = Math.max(0, (int) (centre - filter.reach * scale + 0.5));
        int end = Math.min(all, (int) (centre + filter.reach * scale + 0.5));
        double[] exact = new double[end - first];
        double sum = 0;
        for (int j = 0; j < exact.length; j++) {
          exact[j] = filter.at((j + first - centre + 0.5) * (1 / scale));
          sum += exact[j];
        }
        int[] rounded = new int[exact.length];
        for (int j = 0; j < exact.length; j++) {
          double weight = (sum == 0 ? exact[j] : exact[j] / sum) * (1 << BITS);
          rounded[j] = (int) (weight < 0 ? weight - 0.5 : weight + 0.5);
        }
        each[i] = new Weights(first, rounded);
      }
      return each;
    }
  }
}
