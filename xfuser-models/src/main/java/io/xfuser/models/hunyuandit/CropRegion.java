package io.xfuser.models.hunyuandit;

import io.xfuser.transformer.ConditionInput.Grid;

/**
 * Where a picture's tokens lie: it is put in the middle of the square grid of a picture of 512
 * pixels, which its longer side fills ({@code get_resize_crop_region_for_grid} and {@code
 * get_2d_rotary_pos_embed} in diffusers).
 */
record CropRegion(Places rows, Places columns) {
  private static final int BASE = 512 / 8 / HunyuanDiTConfig.PATCH;

  /** The first and the last of equally far places along an axis. */
  record Places(double first, double last) {
    /** Of {@code count} tokens on the middle {@code length} places of the grid. */
    static Places of(int count, long length) {
      long start = (long) Math.rint((BASE - length) / 2.0);
      // diffusers scales the end and not the length
      return new Places(start, (double) ((start + length) * (count - 1)) / count);
    }
  }

  static CropRegion of(Grid grid) {
    boolean tall = grid.rows() > grid.columns();
    return new CropRegion(
        Places.of(grid.rows(), tall ? BASE : resized(grid.rows(), grid.columns())),
        Places.of(grid.columns(), tall ? resized(grid.columns(), grid.rows()) : BASE));
  }

  /** The length of the shorter side where the longer one fills the grid. */
  private static long resized(int side, int longest) {
    return (long) Math.rint((double) BASE / longest * side); // halves to even, as Python rounds
  }

  /** First and last place of rows, then of columns. */
  double[] places() {
    return new double[] {rows.first(), rows.last(), columns.first(), columns.last()};
  }
}
