package io.xfuser.server;

import io.xfuser.config.Kind;
import io.xfuser.config.Setting;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a server and their values: where it listens, and what it lets clients do. The
 * values are immutable.
 */
public final class ServerSettings {
  public static final Setting<String> HOST =
      Setting.of(
              "host",
              Kind.name(),
              "ADDRESS",
              "The address to listen on; 0.0.0.0 lets other machines in, who may draw without"
                  + " api_key_file")
          .or("127.0.0.1");

  public static final Setting<Integer> PORT =
      Setting.of("port", Kind.whole(0, 65_535), "N", "The port to listen on; 0 is any free one")
          .or(8080);

  public static final Setting<Path> API_KEY_FILE =
      Setting.of(
          "api_key_file",
          Kind.path(),
          "FILE",
          "Keys that clients give as Authorization: Bearer KEY, one a line; read when the server"
              + " starts");

  public static final Setting<Integer> MAX_WAITING =
      Setting.of(
              "max_waiting",
              Kind.whole(0),
              "N",
              "Requests of each model that may wait; one more is answered 429")
          .or(64);

  public static final Setting<Integer> MAX_BODY_BYTES =
      Setting.of(
              "max_body_bytes",
              Kind.whole(1),
              "BYTES",
              "A longer body of a request is answered 413")
          .or(64 << 20);

  public static final Setting<Integer> MAX_PROMPT_LENGTH =
      Setting.of("max_prompt_length", Kind.whole(1), "LETTERS", "A longer prompt is refused")
          .or(32_000);

  public static final Setting<Integer> MAX_PICTURES =
      Setting.of("max_pictures", Kind.whole(1), "N", "Pictures of one request, at most").or(10);

  public static final Setting<Integer> MAX_PIXELS =
      Setting.of(
              "max_pixels",
              Kind.whole(1),
              "PIXELS",
              "Height times width of a picture, at most, and of one that a request brings four"
                  + " times that")
          .or(4096 * 4096);

  public static final Setting<Integer> MAX_STEPS =
      Setting.of("max_steps", Kind.whole(1), "N", "Denoising steps of one request, at most")
          .or(1000);

  public static final Setting<Double> REQUEST_SECONDS =
      Setting.of(
              "request_seconds",
              Kind.number(0, 1_000_000),
              "SECONDS",
              "A request that takes longer, its wait included, is cancelled and answered 504; 0 is"
                  + " no limit")
          .or(0.0);

  public static final Setting<Double> RETRY_SECONDS =
      Setting.of(
              "retry_seconds",
              Kind.number(0, 1_000_000),
              "SECONDS",
              "How long a request whose client has left goes on, for the client to ask again")
          .or(0.0);

  public static final Setting<Double> SHUTDOWN_SECONDS =
      Setting.of(
              "shutdown_seconds",
              Kind.number(0, 1_000_000),
              "SECONDS",
              "How long requests may go on once the server is asked to end")
          .or(30.0);

  public static final Setting<Double> STALL_SECONDS =
      Setting.of(
              "stall_seconds",
              Kind.number(0, 1_000_000),
              "SECONDS",
              "A model that works on a request and tells of no progress for so long is not ready")
          .or(300.0);

  public static final Setting<Double> KEEP_SECONDS =
      Setting.of(
              "keep_seconds",
              Kind.number(1, 1_000_000),
              "SECONDS",
              "How long pictures that are answered by url, and videos, can be had")
          .or(3600.0);

  public static final Setting<Integer> KEEP_BYTES =
      Setting.of(
              "keep_bytes",
              Kind.whole(1),
              "BYTES",
              "Of such pictures and videos; the oldest are forgotten first")
          .or(1 << 30);

  public static final Setting<List<String>> OFFER_LORA =
      Setting.of(
          "offer_lora",
          Kind.listOf(Kind.name()),
          "NAME=FILE",
          "LoRAs that requests may choose by name in their field lora, and no others");

  public static final Setting<String> PUBLIC_URL =
      Setting.of(
              "public_url", Kind.name(), "URL", "Begins the addresses of pictures answered by url")
          .open("as the client has it in its Host header");

  public static final Setting<String> SCHEDULER =
      Setting.of(
              "scheduler",
              Kind.checked(ServerSettings::requireScheduler),
              "POLICY",
              "fcfs, sjf, srtf or genserve: who has its turn, and with genserve on how many of the"
                  + " ranks; ranks are threads")
          .open("one request after another, on the ranks that the degrees say");

  public static final Setting<Path> STEP_TIMES =
      Setting.of(
          "step_times",
          Kind.path(),
          "FILE",
          "Where a scheduler keeps what it has measured of step times, from one start to the next");

  private static void requireScheduler(String name) {
    if (!List.of("fcfs", "sjf", "srtf", "genserve").contains(name)) {
      throw new IllegalArgumentException("must be fcfs, sjf, srtf or genserve, not " + name);
    }
  }

  public static final List<Setting<?>> SETTINGS =
      List.of(
          HOST,
          PORT,
          API_KEY_FILE,
          MAX_WAITING,
          MAX_BODY_BYTES,
          MAX_PROMPT_LENGTH,
          MAX_PICTURES,
          MAX_PIXELS,
          MAX_STEPS,
          REQUEST_SECONDS,
          RETRY_SECONDS,
          SHUTDOWN_SECONDS,
          STALL_SECONDS,
          KEEP_SECONDS,
          KEEP_BYTES,
          OFFER_LORA,
          PUBLIC_URL,
          SCHEDULER,
          STEP_TIMES);

  private final Map<Setting<?>, Object> given;

  /**
   * Reads and checks those of {@code values} that are a server's.
   *
   * @throws io.xfuser.failure.ArgumentException with the name, the range and the value
   */
  public ServerSettings(Map<Setting<?>, ?> values) {
    Map<Setting<?>, Object> read = new HashMap<>();
    values.forEach(
        (setting, value) -> {
          if (SETTINGS.contains(setting)) {
            read.put(setting, setting.read(value));
          }
        });
    this.given = Map.copyOf(read);
  }

  /** The value of {@code setting}, its default where none was given. */
  @SuppressWarnings("unchecked") // read by this setting
  public <T> @Nullable T get(Setting<T> setting) {
    return (T) given.getOrDefault(setting, setting.standard());
  }

  /** The value of a setting that has a default. */
  <T> T value(Setting<T> setting) {
    return Objects.requireNonNull(get(setting), setting.name());
  }
}
