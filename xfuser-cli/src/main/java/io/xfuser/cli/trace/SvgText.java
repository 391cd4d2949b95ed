package io.xfuser.cli.trace;

import java.util.Locale;

/** An SVG file that is being written; lengths are pixels, from the upper left corner. */
final class SvgText {
  private final StringBuilder body = new StringBuilder();

  /** A filled rectangle; {@code tip} is shown under the pointer, unless it is empty. */
  void rectangle(Box box, String fill, String tip) {
    line(
        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"",
        box.x, box.y, box.width, box.height, fill);
    body.append(tip.isEmpty() ? "/>" : "><title>" + escaped(tip) + "</title></rect>");
  }

  /** A vertical line. */
  void vertical(double x, double fromY, double toY, String color) {
    line("<path d=\"M%.1f %.1fV%.1f\" stroke=\"%s\" stroke-width=\"0.6\"/>", x, fromY, toY, color);
  }

  /** Text that begins, ends or is centred at x: {@code start}, {@code end} or {@code middle}. */
  void text(double x, double y, Font font, String words) {
    line(
        "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%d\" text-anchor=\"%s\" fill=\"%s\">%s</text>",
        x, y, font.size, font.anchor, font.color, escaped(words));
  }

  private void line(String format, Object... values) {
    body.append('\n').append(String.format(Locale.ROOT, format, values));
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }

  /** The whole file, of the size given. */
  String file(double width, double height) {
    return String.format(
            Locale.ROOT,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%1$.0f\" height=\"%2$.0f\""
                + " viewBox=\"0 0 %1$.0f %2$.0f\" font-family=\"sans-serif\">%n"
                + "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>",
            width,
            height)
        + body
        + "\n</svg>\n";
  }

  /** A rectangle's place. */
  record Box(double x, double y, double width, double height) {}

  /** How text looks. */
  record Font(int size, String anchor, String color) {}
}
