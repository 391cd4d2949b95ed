package io.xfuser.internal.report;

import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.trace.ClockReadings;
import io.xfuser.internal.trace.RankEvents;
import io.xfuser.report.RankReport;
import io.xfuser.report.RunReport;
import io.xfuser.trace.RunTrace;
import io.xfuser.trace.TraceEvent;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Brings the ranks' reports together. */
public final class Reports {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Reports() {}

  /** The report of all ranks, on every rank; returns when all ranks have come here. */
  public static RunReport gather(
      NDManager owner, World world, EngineConfig engine, RankFigures figures) {
    Communicator everyone = everyone(world);
    RankReport own = figures.report(world);
    try {
      List<RankReport> ranks = new ArrayList<>();
      for (String text : Texts.allGather(owner, everyone, JSON.writeValueAsString(own))) {
        ranks.add(JSON.readValue(text, RankReport.class));
      }
      return new RunReport(
          everyone.size(),
          degrees(engine.parallel()),
          engine.runtime().dtype().torchName(),
          figures.loadSeconds(),
          RunReport.slowest(ranks, RankReport::textEncodeSeconds),
          RunReport.slowest(ranks, RankReport::denoiseSeconds),
          ranks.get(0).stepSeconds(),
          RunReport.slowest(ranks, RankReport::vaeSeconds),
          figures.totalSeconds(),
          List.copyOf(ranks));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a report that is no JSON: " + e.getMessage(), e);
    }
  }

  /**
   * What all ranks did, on every rank; null where nothing was recorded, which is the same on all.
   */
  public static @Nullable RunTrace trace(NDManager owner, World world, List<TraceEvent> recorded) {
    if (recorded.isEmpty()) {
      return null;
    }
    Communicator everyone = everyone(world);
    try {
      String process = ManagementFactory.getRuntimeMXBean().getName(); // pid@machine
      RankEvents own =
          new RankEvents(
              process.substring(process.indexOf('@') + 1),
              ClockReadings.take(process, everyone),
              recorded);
      List<RankEvents> parts = new ArrayList<>();
      for (String text : Texts.allGather(owner, everyone, JSON.writeValueAsString(own))) {
        parts.add(JSON.readValue(text, RankEvents.class));
      }
      return RankEvents.together(parts);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a trace that is no JSON: " + e.getMessage(), e);
    }
  }

  private static Communicator everyone(World world) {
    return world.group(Channel.WORLD, IntStream.range(0, world.size()).boxed().toList());
  }

  private static Map<String, Integer> degrees(ParallelConfig parallel) {
    Map<String, Integer> degrees = new LinkedHashMap<>();
    degrees.put("data", parallel.dataDegree());
    degrees.put("cfg", parallel.cfgDegree());
    degrees.put("pipefusion", parallel.pipefusionDegree());
    degrees.put("distrifusion", parallel.distrifusionDegree());
    degrees.put("ring", parallel.ringDegree());
    degrees.put("ulysses", parallel.ulyssesDegree());
    degrees.put("tensor", parallel.tensorDegree());
    degrees.put("vae", parallel.vaeParallelSize());
    return degrees;
  }
}
