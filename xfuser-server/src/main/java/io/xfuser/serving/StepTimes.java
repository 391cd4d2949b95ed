package io.xfuser.serving;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.xfuser.failure.ArgumentException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How long a step takes, by shape, pictures at a time and degree of parallelism: profiled, and kept
 * up to date while steps are taken. Any thread may call.
 */
public final class StepTimes {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final double NEWEST = 0.25; // its weight among those before
  private static final double UNKNOWN_SECONDS = 1;

  private static final Logger LOG = LoggerFactory.getLogger(StepTimes.class);

  private @Nullable Path file;
  private final Map<Key, Double> seconds = new ConcurrentSkipListMap<>();

  private record Key(String shape, int pictures, int degree) implements Comparable<Key> {
    @Override
    public int compareTo(Key other) {
      int byShape = shape.compareTo(other.shape);
      int byPictures = byShape == 0 ? Integer.compare(pictures, other.pictures) : byShape;
      return byPictures == 0 ? Integer.compare(degree, other.degree) : byPictures;
    }
  }

  /**
   * A step took so long.
   *
   * @param shape what has steps of equal length: a size, {@code 1024x1024} say
   * @param pictures at a time
   * @param degree ranks
   */
  public void measured(String shape, int pictures, int degree, double took) {
    seconds.merge(new Key(shape, pictures, degree), took, (old, now) -> old + NEWEST * (now - old));
  }

  /**
   * What a step will take: what was measured, else what follows from the nearest that was if time
   * grew with pictures and shrank with ranks; a second where nothing is known of the shape.
   */
  public double of(String shape, int pictures, int degree) {
    Double known = seconds.get(new Key(shape, pictures, degree));
    if (known != null) {
      return known;
    }
    double nearest = Double.POSITIVE_INFINITY;
    double estimate = UNKNOWN_SECONDS * pictures / degree;
    for (Map.Entry<Key, Double> entry : seconds.entrySet()) {
      Key key = entry.getKey();
      double distance =
          Math.abs(Math.log((double) key.pictures() / pictures))
              + Math.abs(Math.log((double) key.degree() / degree));
      if (key.shape().equals(shape) && distance < nearest) {
        nearest = distance;
        estimate = entry.getValue() * pictures / key.pictures() * key.degree() / degree;
      }
    }
    return estimate;
  }

  /** Reads what {@link #save} wrote; nothing where there is no file. */
  public static StepTimes load(Path file) throws IOException {
    StepTimes times = new StepTimes();
    if (Files.exists(file)) {
      for (JsonNode row : JSON.readTree(file.toFile())) {
        double took = row.path("seconds").asDouble();
        int pictures = row.path("pictures").asInt();
        int degree = row.path("degree").asInt();
        if (!(took > 0) || pictures < 1 || degree < 1 || !row.path("shape").isTextual()) {
          throw new IOException(file + " is no table of step times: it has the row " + row);
        }
        times.measured(row.path("shape").asText(), pictures, degree, took);
      }
    }
    return times;
  }

  /**
   * What {@code file} has, if there is one; {@link #keep} writes it again.
   *
   * @throws ArgumentException if it is no table of step times
   */
  public static StepTimes at(Path file) {
    try {
      StepTimes times = load(file);
      times.file = file;
      return times;
    } catch (IOException e) {
      throw new ArgumentException("the step times cannot be read: " + e.getMessage(), e);
    }
  }

  /** Writes all to the file that it is {@linkplain #at at}, if it is at one. */
  public void keep() {
    Path place = file;
    if (place != null) {
      try {
        save(place);
      } catch (IOException e) {
        LOG.warn("the step times cannot be kept: {}", e.getMessage());
      }
    }
  }

  /** Writes all that was measured as JSON: rows of shape, pictures, degree and seconds. */
  public void save(Path file) throws IOException {
    ArrayNode rows = JSON.createArrayNode();
    seconds.forEach(
        (key, took) ->
            rows.addObject()
                .put("shape", key.shape())
                .put("pictures", key.pictures())
                .put("degree", key.degree())
                .put("seconds", took));
    Files.writeString(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(rows));
  }
}
