package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where ranks compute, as the setting {@code device} says it.
 *
 * @param kind the CPU, GPUs, or what there is
 * @param index the one GPU that all ranks share, −1 for none in particular
 */
public record DeviceChoice(DeviceType kind, int index) {
  /** GPUs where there are some, else the CPU. */
  public static final DeviceChoice AUTO = new DeviceChoice(DeviceType.AUTO, -1);

  /** The CPU. */
  public static final DeviceChoice CPU = new DeviceChoice(DeviceType.CPU, -1);

  /** GPUs, each rank on the next one. */
  public static final DeviceChoice CUDA = new DeviceChoice(DeviceType.CUDA, -1);

  private static final Pattern ONE_GPU = Pattern.compile("cuda:(0|[1-9]\\d{0,3})");

  /** Checks that only GPUs are numbered. */
  public DeviceChoice {
    if (index < -1 || (index >= 0 && kind != DeviceType.CUDA)) {
      throw new ArgumentException("there is no device " + kind + " " + index);
    }
  }

  /** Kinds of devices. */
  public enum DeviceType {
    /** GPUs where there are some, else the CPU. */
    AUTO,
    CPU,
    CUDA
  }

  /**
   * Reads {@code auto}, {@code cpu}, {@code cuda} or {@code cuda:i}.
   *
   * @throws ArgumentException for anything else
   */
  public static DeviceChoice parse(String text) {
    return RuntimeConfig.DEVICE.read(text);
  }

  /** The same; what is none fails with what follows the name of a setting. */
  static DeviceChoice of(String text) {
    Matcher one = ONE_GPU.matcher(text);
    if (one.matches()) {
      return new DeviceChoice(DeviceType.CUDA, Integer.parseInt(one.group(1)));
    }
    return switch (text) {
      case "auto" -> AUTO;
      case "cpu" -> CPU;
      case "cuda" -> CUDA;
      default -> throw new Kind.Wrong("auto, cpu, cuda or cuda:i", text);
    };
  }

  /** Whether all ranks share one GPU. */
  public boolean isOneGpu() {
    return index >= 0;
  }

  /** As {@link #parse} reads it. */
  @Override
  public String toString() {
    return switch (kind) {
      case AUTO -> "auto";
      case CPU -> "cpu";
      case CUDA -> isOneGpu() ? "cuda:" + index : "cuda";
    };
  }
}
