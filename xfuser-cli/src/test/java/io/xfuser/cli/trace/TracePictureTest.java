package io.xfuser.cli.trace;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.internal.parallel.Channel;
import io.xfuser.trace.RankTrace;
import io.xfuser.trace.RunTrace;
import io.xfuser.trace.TraceEvent;
import io.xfuser.trace.TraceEvent.Activity;
import io.xfuser.trace.TraceEvent.MicroStep;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

class TracePictureTest {
  private static final long MILLISECOND = 1_000_000;

  /** Two stages, four patches: one synchronous step, then a pipelined one. */
  private static RunTrace run() {
    List<RankTrace> ranks = new ArrayList<>();
    for (int rank = 0; rank < 2; rank++) {
      List<TraceEvent> events = new ArrayList<>();
      events.add(event(Activity.LOAD, 0, 10, null));
      events.add(event(Activity.BLOCKS, 10 + 20 * rank, 20, new MicroStep(0, 0, 4, 4)));
      for (int patch = 0; patch < 4; patch++) {
        MicroStep at = new MicroStep(1, patch, patch + 1, 4);
        events.add(event(Activity.BLOCKS, 60 + 20 * (rank + patch), 18, at));
        events.add(
            new TraceEvent(
                Activity.SEND,
                (78 + 20L * (rank + patch)) * MILLISECOND,
                MILLISECOND,
                at,
                new TraceEvent.Message(Channel.PIPEFUSION, "send", 1 - rank, 4096, patch)));
      }
      events.add(event(Activity.DECODE, 200, 50, null));
      ranks.add(new RankTrace(rank, "host", 0, events));
    }
    return new RunTrace(ranks);
  }

  private static TraceEvent event(Activity what, long start, long length, @Nullable MicroStep at) {
    return new TraceEvent(what, start * MILLISECOND, length * MILLISECOND, at, null);
  }

  @Test
  void aPictureIsXmlWithARowForEachRankAndItsPatchesNumbered() throws Exception {
    Document svg =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new InputSource(new StringReader(TracePicture.svg(run()))));
    List<String> texts =
        IntStream.range(0, svg.getElementsByTagName("text").getLength())
            .mapToObj(i -> svg.getElementsByTagName("text").item(i).getTextContent())
            .toList();
    assertThat(texts).contains("the whole request: 0.25 s", "rank 0", "rank 1", "patch 4");
    assertThat(texts).anyMatch(text -> text.startsWith("steps 1 to 2: "));
  }
}
