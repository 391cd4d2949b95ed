package io.xfuser.models.internal.hunyuandit;

import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.models.internal.ResolutionBins;
import io.xfuser.models.internal.ResolutionBins.Bin;
import java.util.List;

/** The sizes that HunyuanDiT draws, as {@code HunyuanDiTPipeline} of diffusers chooses them. */
final class HunyuanDiTSizes {
  // by width to height; sizes are height, width
  private static final ResolutionBins STANDARD =
      new ResolutionBins(
          List.of(
              bin(1, new Size(1024, 1024), new Size(1280, 1280)),
              bin(4.0 / 3, new Size(768, 1024), new Size(864, 1152), new Size(960, 1280)),
              bin(3.0 / 4, new Size(1024, 768), new Size(1152, 864), new Size(1280, 960)),
              bin(16.0 / 9, new Size(768, 1280)),
              bin(9.0 / 16, new Size(1280, 768))));

  private HunyuanDiTSizes() {}

  private static Bin bin(double ratio, Size... sizes) {
    return new Bin(ratio, List.of(sizes));
  }

  static Size standard(Size size) {
    return STANDARD.bins().stream().anyMatch(bin -> bin.sizes().contains(size))
        ? size
        : STANDARD.nearest(
            (double) size.width() / size.height(), (long) size.width() * size.height());
  }
}
